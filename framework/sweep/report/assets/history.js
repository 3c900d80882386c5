// The objective of each trial in the order in which they ended, and the best so far.
function drawHistory(main) {
  const ended = data.trials
    .map((trial, index) => index)
    .filter((index) => shown(data.trials[index]))
    .sort((one, other) => data.trials[one].ended - data.trials[other].ended || one - other);
  if (!ended.length) return;
  const { name, minimize } = data.objectives[0];
  const box = section(main, "History", `${name} of each trial in the order in which they ended; the line is the best so far.`);
  view(box, (parent, width) => {
    const [left, right, top, height] = [64, width - 14, 10, 220];
    const bottom = height - 36;
    const svg = picture(parent, width, height, "history");
    const values = ended.map((index) => data.trials[index].objective[0]);
    const y = scaleOf(values, [bottom, top], { log: spansDecades(values), pad: 0.06 });
    const x = scaleOf([1, Math.max(2, ended.length)], [left, right]);
    frame(svg, x, y, left, right, top, bottom);
    svg.append(shape("text", { x: (left + right) / 2, y: height - 2, "text-anchor": "middle" }, "trials that are done"));
    const shade = shades();
    let best = values[0];
    const line = [];
    values.forEach((value, place) => {
      const before = best;
      best = minimize ? Math.min(best, value) : Math.max(best, value);
      if (place && best !== before) line.push([x.at(place + 1), y.at(before)]);
      line.push([x.at(place + 1), y.at(best)]);
    });
    svg.append(shape("path", { d: path(line), stroke: color("best"), "stroke-width": 2 }));
    ended.forEach((index, place) => {
      const dot = shape("circle", { cx: x.at(place + 1), cy: y.at(values[place]), r: 4, fill: shade(goodness[index]) });
      dot.setAttribute("stroke", color("soft"));
      dot.setAttribute("stroke-width", 0.6);
      dot.setAttribute("opacity", within(index) ? 1 : 0.15);
      tells(dot, about(index));
      svg.append(dot);
    });
  });
}
