// The objective over each swept key: a dot for the median of trials that differ in seeds alone, with their quartiles.
function drawSlices(main) {
  const keys = data.axes.map((axis, index) => ({ axis, index })).filter(({ index }) => new Set(data.trials.map((trial) => trial.values[index])).size > 1);
  if (!keys.length || !order.length) return;
  const repeated = data.repeats.some((group) => group.length > 1) && data.axes.some((axis) => axis.seed);
  const note = repeated
    ? "Each dot is the median of trials that differ in the seed alone, its bar their quartiles; the line joins the medians over all other keys."
    : "Each dot is a trial; the line joins the medians over all other keys where a value was tried several times.";
  const box = section(main, "Slices", note);
  const controls = element("div", { class: "controls" });
  box.append(controls);
  const select = element("select", { "aria-label": "objective" });
  data.objectives.forEach((objective, index) => select.append(element("option", { value: index }, objective.name)));
  if (data.objectives.length > 1) controls.append("objective", select);
  const redraw = view(box, (parent) => {
    const grid = element("div", { class: "small" });
    parent.append(grid);
    for (const { axis, index } of keys) drawSlice(grid, axis, index, Number(select.value || 0), repeated && !axis.seed);
  });
  select.addEventListener("change", redraw);
}

function drawSlice(grid, axis, index, objective, aggregated) {
  const box = element("div");
  grid.append(box);
  const [width, height, left, top] = [Math.max(270, Math.floor(box.clientWidth)), 230, 58, 22];
  const [right, bottom] = [width - 12, height - 30];
  const svg = picture(box, width, height, `${data.objectives[objective].name} over ${axis.key}`);
  const values = order.map((place) => data.trials[place].objective[objective]);
  const log = spansDecades(values);
  const y = scaleOf(values, [bottom, top], { log, pad: 0.06 });
  const x = axisScale(axis, index, [left + 8, right - 8]);
  frame(svg, x, y, left, right, top, bottom);
  const name = shape("text", { class: "name", x: left, y: 12 }, axis.label + (axis.seed ? " (repeats)" : ""));
  name.append(shape("title", {}, axis.key));
  svg.append(name);
  const shade = shades();
  const groups = aggregated ? data.repeats : data.trials.map((_, place) => [place]);
  const byValue = new Map();
  for (const group of groups) {
    const members = group.filter((place) => goodness[place] !== null);
    const at = members.length ? data.trials[members[0]].at[index] : null;
    if (at === null) continue;
    const sorted = members.map((place) => data.trials[place].objective[objective]).sort((one, other) => one - other);
    const middle = quantile(sorted, 0.5);
    byValue.set(at, [...(byValue.get(at) ?? []), middle]);
    const good = members.reduce((sum, place) => sum + goodness[place], 0) / members.length;
    const opacity = members.some(within) ? 1 : 0.12;
    if (sorted.length > 1)
      svg.append(shape("line", { x1: x.at(at), x2: x.at(at), y1: y.at(quantile(sorted, 0.25)), y2: y.at(quantile(sorted, 0.75)), stroke: color("soft"), "stroke-width": 1.5, opacity }));
    const dot = shape("circle", { cx: x.at(at), cy: y.at(middle), r: 4, fill: shade(good), stroke: color("soft"), "stroke-width": 0.6, opacity });
    const several = `${members.length} trials, median ${tell(middle)}\n`;
    tells(dot, members.length > 1 ? several + about(members[0]).split("\n").slice(1, 1 + data.axes.length).filter((line) => !data.axes.some((other) => other.seed && line.startsWith(`${other.label} = `))).join("\n") : about(members[0]));
    svg.append(dot);
  }
  // What came to no objective stands at the worse end.
  const edge = data.objectives[objective].minimize ? top + 4 : bottom - 4;
  data.trials.forEach((trial, place) => {
    if (trial.at[index] === null || !["non_finite", "failed", "out_of_memory"].includes(trial.status)) return;
    const cross = shape("text", { x: x.at(trial.at[index]), y: edge + 4, "text-anchor": "middle", style: `fill:${color("bad")}`, opacity: within(place) ? 1 : 0.12 }, "×");
    tells(cross, about(place));
    svg.append(cross);
  });
  const places = [...byValue.keys()].sort((one, other) => one - other);
  const repeatedly = places.length <= 12 && [...byValue.values()].some((found) => found.length > 1);
  if (!repeatedly && !(aggregated && places.length <= 12)) return;
  const medians = places.map((at) => [x.at(at), y.at(quantile(byValue.get(at).sort((one, other) => one - other), 0.5))]);
  if (axis.kind === "words")
    for (const [at, middle] of medians)
      svg.append(shape("line", { x1: at - 16, x2: at + 16, y1: middle, y2: middle, stroke: color("best"), "stroke-width": 2 }));
  else svg.append(shape("path", { d: path(medians), stroke: color("best"), "stroke-width": 1.8 }));
}
