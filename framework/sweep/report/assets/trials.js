// The table of all trials, with the status in words and colour.
function drawTrials(main) {
  const box = section(main, "All trials", "Click on a heading to sort. The number leads to the run directory; a status tells its error when pointed at.");
  const number = (cell, trial) => cell.append(trial.link ? element("a", { href: trial.link }, String(trial.number)) : tell(trial.number));
  const columns = [
    { name: "trial", key: (trial) => trial.number, number: true, fill: number },
    { name: "status", key: (trial) => data.statuses.indexOf(trial.status), fill: (cell, trial) => cell.append(badge(trial)) },
    ...data.axes.map((axis, index) => ({ name: axis.label, title: axis.key, key: (trial) => trial.at[index], text: (trial) => trial.values[index] ?? "–", number: axis.kind !== "words" })),
    ...data.objectives.map((objective, index) => ({ name: objective.name, key: (trial) => (trial.objective ? trial.objective[index] : null), number: true })),
    ...data.metrics.map((name, index) => ({ name, key: (trial) => trial.metrics[index], number: true })),
    { name: "seconds", key: (trial) => trial.seconds, number: true },
  ];
  if (data.trials.some((trial) => trial.attempts > 1)) columns.push({ name: "attempts", key: (trial) => trial.attempts, number: true });
  if (data.trials.some((trial) => trial.error)) columns.push({ name: "why", key: (trial) => trial.error, fill: why });
  sortedTable(box, "trials", columns, data.trials, {
    sorted: 2 + data.axes.length,
    rising: data.objectives[0].minimize,
    visible: within,
    mark: (index) => (data.best && data.best.trial === index ? "best" : ""),
  });
}

function badge(trial) {
  const made = element("span", { class: "status", title: trial.error }, trial.status.replaceAll("_", " "));
  made.style.color = `var(--${STATUS_COLORS[trial.status]})`;
  return made;
}

function why(cell, trial) {
  cell.className = "why";
  cell.title = trial.error;
  cell.append(trial.error);
}
