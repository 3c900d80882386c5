// Learning curves of all members: each run thin, groups as medians with bands of quartiles.
function drawCurves(main) {
  const { metrics, groupings, steps } = data.curves;
  if (!metrics.length) return;
  const box = section(main, "Learning curves", "Thin lines are runs, thick ones medians of a group, bands its quartiles. Where runs of a group end at different steps, the median is of those that got there.");
  const metric = element("select", { "aria-label": "metric", id: "metric" });
  metrics.forEach((each, index) => metric.append(element("option", { value: index }, each.name)));
  const grouping = element("select", { "aria-label": "grouped by", id: "grouping" });
  groupings.forEach((each, index) => grouping.append(element("option", { value: index }, each.name)));
  const each = element("input", { type: "checkbox", id: "each" });
  each.checked = true;
  box.append(element("div", { class: "controls" }, element("label", {}, "metric ", metric), element("label", {}, "grouped by ", grouping), element("label", {}, each, " each run")));
  let raised = null;
  const redraw = view(box, (parent, width) => {
    const chosen = metrics[Number(metric.value)];
    const { groups } = groupings[Number(grouping.value)];
    const bands = chosen.bands[Number(grouping.value)];
    const [left, right, top, height] = [64, width - 14, 10, Math.min(420, Math.max(280, width * 0.42))];
    const bottom = height - 36;
    const svg = picture(parent, width, height, `${chosen.name} over steps`);
    const all = chosen.lines.flatMap((line) => (line ? line[1] : []));
    const lasts = chosen.lines.filter((line) => line).map((line) => steps[line[0]].at(-1));
    const x = scaleOf([0, ...lasts], [left, right], { pad: 0.01 });
    const y = scaleOf(trimmed(all), [bottom, top], { log: spansDecades(trimmed(all)), pad: 0.04 });
    const clip = shape("clipPath", { id: "inside" });
    clip.append(shape("rect", { x: left, y: top, width: right - left, height: bottom - top }));
    const layer = shape("g", { "clip-path": "url(#inside)" });
    frame(svg, x, y, left, right, top, bottom);
    svg.append(clip, layer, shape("text", { x: (left + right) / 2, y: height - 2, "text-anchor": "middle" }, "step"));
    const ink = (group) => color(group < bands.length ? `group${group}` : "rest");
    const lines = new Map();
    const single = groups.every(([, members]) => members.length === 1);
    groups.map((_, group) => group).reverse().forEach((group) => {
      const faded = raised !== null && raised !== group;
      for (const index of groups[group][1]) {
        const line = chosen.lines[index];
        if (!line) continue;
        const points = line[1].map((value, at) => [x.at(steps[line[0]][at]), y.at(value)]);
        lines.set(index, points);
        if (!each.checked && !single && group < bands.length) continue;
        const opacity = !within(index) ? 0.05 : faded ? 0.1 : single ? 0.9 : group < bands.length ? 0.4 : 0.35;
        layer.append(shape("path", { d: path(points), stroke: ink(group), "stroke-width": single && group < bands.length ? 1.6 : 1, opacity }));
        if (points.length === 1 && points[0][1] !== null) layer.append(shape("circle", { cx: points[0][0], cy: points[0][1], r: 2.5, fill: ink(group), opacity }));
      }
    });
    bands.map((_, group) => group).reverse().forEach((group) => {
      const band = bands[group];
      if (!band || groups[group][1].length < 2) return;
      const faded = raised !== null && raised !== group;
      const [place, low, middle, high] = band;
      const at = (values) => values.map((value, index) => [x.at(steps[place][index]), y.at(value)]);
      const around = [...at(high), ...at(low).reverse()].filter(([, height_of]) => height_of !== null);
      if (around.length) layer.append(shape("path", { class: "band", d: path(around) + "Z", style: `fill:${ink(group)}`, opacity: faded ? 0.03 : 0.16 }));
      layer.append(shape("path", { d: path(at(middle)), stroke: ink(group), "stroke-width": 2.4, opacity: faded ? 0.15 : 1 }));
    });
    const lit = shape("path", { stroke: color("ink"), "stroke-width": 2.5, "pointer-events": "none" });
    layer.append(lit);
    lights(svg, lines, lit);
    const legend = element("ul", { class: "legend" });
    bands.forEach((_, group) => {
      const mark = element("i");
      mark.style.background = ink(group);
      const [label, members] = groups[group];
      const item = element("li", { "data-group": group }, mark, members.length > 1 ? `${label} (${members.length})` : label);
      item.addEventListener("click", () => {
        raised = raised === group ? null : group;
        redraw();
      });
      legend.append(item);
    });
    if (groups.length > bands.length) legend.append(element("li", {}, `${groups.length - bands.length} more groups in grey`));
    parent.append(legend);
  });
  for (const control of [metric, grouping, each])
    control.addEventListener("change", () => {
      raised = null;
      redraw();
    });
}

// Without the utmost 2 % where they would flatten the rest: one diverged run must not hide all others.
function trimmed(values) {
  const known = values.filter((value) => value !== null).sort((one, other) => one - other);
  if (known.length < 50) return known;
  const [low, high] = [quantile(known, 0.02), quantile(known, 0.98)];
  const wide = known.at(-1) - known[0] > 6 * (high - low) && !(known[0] > 0 && known.at(-1) < 1e4 * known[0]);
  return wide ? known.filter((value) => value >= low - (high - low) && value <= high + (high - low)) : known;
}
