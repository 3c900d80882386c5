// How good each trial is, what stands at the head of the page, and the best command.
const shown = (trial) => trial.status === "done" && trial.objective !== null;
const sign = data.objectives[0].minimize ? 1 : -1;
const order = data.trials
  .map((trial, index) => index)
  .filter((index) => shown(data.trials[index]))
  .sort((one, other) => sign * (data.trials[one].objective[0] - data.trials[other].objective[0]));
const goodness = data.trials.map(() => null);
// By rank, so that a few runs that diverged do not make all others look alike.
order.forEach((index, rank) => {
  goodness[index] = order.length < 2 ? 1 : 1 - rank / (order.length - 1);
});
const STATUS_COLORS = {
  done: "done", pruned: "pruned", non_finite: "bad", failed: "bad", out_of_memory: "bad", running: "busy",
  interrupted: "idle", queued: "idle",
};

function drawSummary(main) {
  const columns = element("div", { class: "columns" });
  main.append(columns);
  drawBest(section(columns, "Best"));
  const box = section(columns, "Trials");
  const bar = element("div", { class: "statusbar" });
  const legend = element("ul", { class: "legend" });
  box.append(element("div", { class: "figure" }, String(data.trials.length), element("small", {}, " trials")), bar, legend);
  for (const [status, count] of Object.entries(data.counts)) {
    const ink = `var(--${STATUS_COLORS[status]})`;
    const striped = ["failed", "queued", "interrupted"].includes(status);
    const fill = striped ? `repeating-linear-gradient(45deg, ${ink} 0 3px, var(--grid) 3px 6px)` : ink;
    const part = element("span");
    part.style.width = `${(100 * count) / data.trials.length}%`;
    part.style.background = fill;
    bar.append(part);
    const mark = element("i");
    mark.style.background = fill;
    legend.append(element("li", {}, mark, `${count} ${status.replaceAll("_", " ")}`));
  }
  const list = element("dl");
  for (const [label, text] of data.facts) list.append(element("dt", {}, label), element("dd", {}, text));
  list.style.marginTop = "12px";
  box.append(list);
}

function drawBest(box) {
  if (!data.best) {
    box.append(element("p", { class: "note" }, "No trial is done yet, or none has an objective."));
    return;
  }
  const trial = data.trials[data.best.trial];
  const [objective] = data.objectives;
  box.append(
    element("div", { class: "figure" }, tell(trial.objective[0]), element("small", {}, ` ${objective.name}, trial ${trial.number}`)),
  );
  const list = element("dl");
  list.style.marginTop = "8px";
  data.axes.forEach((axis, index) => {
    if (trial.values[index] !== null) list.append(element("dt", {}, axis.key), element("dd", {}, trial.values[index]));
  });
  data.objectives.forEach((other, index) => {
    if (index) list.append(element("dt", {}, other.name), element("dd", {}, tell(trial.objective[index])));
  });
  data.metrics.forEach((name, index) => {
    if (trial.metrics[index] !== null && /^(valid|test)\./.test(name))
      list.append(element("dt", {}, name), element("dd", {}, tell(trial.metrics[index])));
  });
  const code = element("code", { id: "command" }, data.best.command);
  const button = element("button", { type: "button", id: "copy" }, "copy");
  button.addEventListener("click", () => copy(code, button));
  box.append(list, element("div", { class: "command" }, code, button));
  if (data.objectives.length > 1)
    box.append(element("p", { class: "note" }, "Best by the first objective; the front below has the trials that no other beats in all."));
}

// A page opened as a file may not be given the clipboard; selecting and the older command work everywhere.
function copy(code, button) {
  const range = document.createRange();
  range.selectNodeContents(code);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  const told = (done) => {
    button.textContent = done ? "copied" : "press Ctrl+C";
    setTimeout(() => (button.textContent = "copy"), 2000);
  };
  if (navigator.clipboard && window.isSecureContext)
    navigator.clipboard.writeText(code.textContent).then(() => told(true), () => told(document.execCommand("copy")));
  else told(document.execCommand("copy"));
}
