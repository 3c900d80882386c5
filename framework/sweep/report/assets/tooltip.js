// The box beside the pointer that tells of a trial.
const tip = element("div", { id: "tip", hidden: "" });
document.body.append(tip);

function showTip(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const x = event.clientX + 14 + width > window.innerWidth ? event.clientX - width - 14 : event.clientX + 14;
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, window.innerHeight - height - 4)}px`;
}

function hideTip() {
  tip.hidden = true;
}

function about(index) {
  const trial = data.trials[index];
  const lines = [`trial ${trial.number}, ${trial.status.replaceAll("_", " ")}`];
  data.axes.forEach((axis, at) => {
    if (trial.values[at] !== null) lines.push(`${axis.label} = ${trial.values[at]}`);
  });
  data.objectives.forEach((objective, at) => {
    if (trial.objective) lines.push(`${objective.name} = ${tell(trial.objective[at])}`);
  });
  if (trial.error) lines.push(trial.error);
  return lines.join("\n");
}

function tells(target, text) {
  target.addEventListener("pointermove", (event) => showTip(event, text));
  target.addEventListener("pointerleave", hideTip);
}
