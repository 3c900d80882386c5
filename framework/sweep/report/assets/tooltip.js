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

// Lights up the line of a trial nearest to the pointer, and tells of it. `lines`: trial -> its points, from left to right.
function lights(svg, lines, lit) {
  svg.addEventListener("pointermove", (event) => {
    const area = svg.getBoundingClientRect();
    const nearest = nearestLine(lines, event.clientX - area.left, event.clientY - area.top);
    lit.setAttribute("d", nearest === null ? "" : path(lines.get(nearest)));
    if (nearest === null) hideTip();
    else showTip(event, about(nearest));
  });
  svg.addEventListener("pointerleave", () => {
    lit.setAttribute("d", "");
    hideTip();
  });
}

function nearestLine(lines, x, y) {
  let [nearest, least] = [null, 9];
  for (const [index, points] of lines) {
    if (!within(index)) continue;
    const next = points.findIndex(([at]) => at >= x);
    if (next < 1) continue;
    const [[x0, y0], [x1, y1]] = [points[next - 1], points[next]];
    const slope = (y1 - y0) / (x1 - x0);
    const distance = Math.abs(y0 + slope * (x - x0) - y) / Math.hypot(1, slope);
    if (distance < least) [nearest, least] = [index, distance];
  }
  return nearest;
}
