// Two objectives against each other, with the trials that no other one beats.
function drawPareto(main) {
  const { objectives } = data;
  if (objectives.length < 2 || !order.length) return;
  const box = section(main, "Front", `Joined: the ${data.front.length} trials that no other is at least as good as in every objective and better in one.`);
  const pick = (start) => {
    const made = element("select", { "aria-label": "objective" });
    objectives.forEach((objective, index) => made.append(element("option", { value: index }, objective.name)));
    made.value = String(start);
    return made;
  };
  const [across, up] = [pick(0), pick(1)];
  if (objectives.length > 2) box.append(element("div", { class: "controls" }, "across", across, "up", up));
  const redraw = view(box, (parent, width) => {
    const [h, v] = [Number(across.value), Number(up.value)];
    const [left, right, top, height] = [64, width - 14, 20, 330];
    const bottom = height - 40;
    const svg = picture(parent, width, height, "front");
    const values = (at) => order.map((index) => data.trials[index].objective[at]);
    const x = scaleOf(values(h), [left, right], { log: spansDecades(values(h)), pad: 0.05 });
    const y = scaleOf(values(v), [bottom, top], { log: spansDecades(values(v)), pad: 0.05 });
    frame(svg, x, y, left, right, top, bottom);
    const arrow = (at) => (objectives[at].minimize ? "smaller is better" : "greater is better");
    svg.append(shape("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, `${objectives[h].name}, ${arrow(h)}`));
    svg.append(shape("text", { class: "halo", x: left + 4, y: 12 }, `${objectives[v].name}, ${arrow(v)}`));
    const place = (index) => [x.at(data.trials[index].objective[h]), y.at(data.trials[index].objective[v])];
    const front = data.front.map(place).sort((one, other) => one[0] - other[0]);
    svg.append(shape("path", { d: path(front), stroke: color("best"), "stroke-width": 1.6, "stroke-dasharray": "5 3" }));
    const best = new Set(data.front);
    for (const index of order) {
      const [cx, cy] = place(index);
      const dot = shape("circle", { cx, cy, r: best.has(index) ? 6 : 4, fill: best.has(index) ? color("best") : color("scale2"), stroke: color("card"), opacity: within(index) ? 0.9 : 0.1 });
      tells(dot, about(index));
      svg.append(dot);
    }
  });
  across.addEventListener("change", redraw);
  up.addEventListener("change", redraw);
}
