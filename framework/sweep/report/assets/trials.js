// The table of all trials: sorted by a click on a heading, with the status in words and colour.
function drawTrials(main) {
  const box = section(main, "All trials", "Click on a heading to sort. The number leads to the run directory; a status tells its error when pointed at.");
  const columns = [
    { name: "trial", key: (trial) => trial.number, number: true },
    { name: "status", key: (trial) => data.statuses.indexOf(trial.status) },
    ...data.axes.map((axis, index) => ({ name: axis.label, title: axis.key, key: (trial) => trial.at[index], text: (trial) => trial.values[index] ?? "–", number: axis.kind !== "words" })),
    ...data.objectives.map((objective, index) => ({ name: objective.name, key: (trial) => (trial.objective ? trial.objective[index] : null), number: true })),
    ...data.metrics.map((name, index) => ({ name, key: (trial) => trial.metrics[index], number: true })),
    { name: "seconds", key: (trial) => trial.seconds, number: true },
  ];
  if (data.trials.some((trial) => trial.attempts > 1)) columns.push({ name: "attempts", key: (trial) => trial.attempts, number: true });
  if (data.trials.some((trial) => trial.error)) columns.push({ name: "why", key: (trial) => trial.error, text: (trial) => trial.error, why: true });
  let sorted = 2 + data.axes.length;
  let rising = data.objectives[0].minimize;
  const head = element("tr");
  const body = element("tbody");
  const table = element("table", { id: "trials" }, element("thead", {}, head), body);
  box.append(element("div", { class: "wide tall" }, table));
  columns.forEach((column, index) => {
    const cell = element("th", { scope: "col", tabindex: 0, title: column.title ?? "", ...(column.number ? { class: "number" } : {}) }, column.name);
    const sort = () => {
      rising = sorted === index ? !rising : true;
      sorted = index;
      fill();
    };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort();
      }
    });
    head.append(cell);
  });
  // What has no value comes last, whichever way the column is sorted.
  const compare = (one, other) => {
    const [a, b] = [one, other].map((index) => columns[sorted].key(data.trials[index]));
    const [no, none] = [a, b].map((value) => value === null || value === "");
    if (no || none) return no - none || one - other;
    const way = a < b ? -1 : a > b ? 1 : 0;
    return (rising ? way : -way) || one - other;
  };
  function fill() {
    [...head.children].forEach((cell, index) => {
      if (index === sorted) cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
    const places = data.trials.map((_, index) => index).filter(within).sort(compare);
    body.replaceChildren(...places.map(line));
  }
  function line(index) {
    const trial = data.trials[index];
    const row = element("tr", data.best && data.best.trial === index ? { class: "best" } : {});
    for (const column of columns) {
      const cell = element("td", { ...(column.number ? { class: "number" } : {}), ...(column.why ? { class: "why", title: trial.error } : {}) });
      if (column.name === "trial" && trial.link) cell.append(element("a", { href: trial.link }, String(trial.number)));
      else if (column.name === "status" && !column.title) cell.append(badge(trial));
      else cell.append(column.text ? column.text(trial) : tell(column.key(trial)));
      row.append(cell);
    }
    return row;
  }
  function badge(trial) {
    const made = element("span", { class: "status", title: trial.error }, trial.status.replaceAll("_", " "));
    made.style.color = `var(--${STATUS_COLORS[trial.status]})`;
    return made;
  }
  fill();
  views.push(fill);
}
