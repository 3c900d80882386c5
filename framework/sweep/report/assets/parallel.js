// Parallel coordinates: an axis for each swept key and each objective, a line for each trial; dragging along an axis
// picks the trials between, everywhere on the page.
function drawParallel(main) {
  const columns = data.axes
    .map((axis, index) => ({ label: axis.label, title: axis.key, at: (trial) => trial.at[index], scale: (range) => axisScale(axis, index, range), seed: axis.seed }))
    .sort((one, other) => one.seed - other.seed);
  data.objectives.forEach((objective, index) => {
    const values = data.trials.map((trial) => (shown(trial) ? trial.objective[index] : null));
    const log = spansDecades(values);
    columns.push({
      label: objective.name,
      title: `${objective.name}, better ${objective.minimize ? "smaller" : "greater"}`,
      at: (trial) => (shown(trial) ? trial.objective[index] : null),
      scale: (range) => scaleOf(values, range, { log, pad: 0.05 }),
      better: objective.minimize ? "↓ better" : "↑ better",
    });
  });
  const box = section(main, "Parallel coordinates", "A line is a trial. Drag along an axis to pick trials, here and in the other charts and the table; click on the axis to let go.");
  const brushes = new Map();
  const sorted = data.trials.map((trial, index) => index).sort((one, other) => (goodness[one] ?? -1) - (goodness[other] ?? -1));
  const scroller = element("div", { class: "wide" });
  box.append(scroller);
  drawScaleLegend(box);
  view(scroller, (parent, room) => {
    const width = Math.max(room, columns.length * 112);
    const [top, height] = [40, 330];
    const bottom = height - 30;
    const svg = picture(parent, width, height, "parallel coordinates");
    const widest = 58;
    const place = (column) => widest + (column / Math.max(1, columns.length - 1)) * (width - widest - 58);
    const scales = columns.map((column) => column.scale([bottom, top]));
    // A trial without a value of an axis passes below it.
    const height_of = (trial, column) => scales[column].at(columns[column].at(trial)) ?? bottom + 18;
    const shade = shades();
    const lines = new Map();
    for (const index of sorted) {
      const trial = data.trials[index];
      const points = columns.map((_, column) => [place(column), height_of(trial, column)]);
      const known = goodness[index] !== null;
      const line = shape("path", {
        d: path(points), stroke: known ? shade(goodness[index]) : color("rest"), "stroke-width": known ? 1.2 + 0.8 * goodness[index] : 1,
        opacity: within(index) ? (known ? 0.85 : 0.6) : 0.06, ...(known ? {} : { "stroke-dasharray": "4 3" }),
      });
      lines.set(index, points);
      svg.append(line);
    }
    const lit = shape("path", { stroke: color("best"), "stroke-width": 3.5, "pointer-events": "none" });
    svg.append(lit);
    columns.forEach((column, number) => drawColumn(svg, column, scales[number], place(number), top, bottom, number));
    lights(svg, lines, lit);
  });

  function drawColumn(svg, column, scale, x, top, bottom, number) {
    svg.append(shape("line", { class: "axis", x1: x, x2: x, y1: top, y2: bottom }));
    const last = number === columns.length - 1;
    const anchor = number === 0 ? "start" : last ? "end" : "middle";
    const shift = number === 0 ? -54 : last ? 54 : 0;
    const name = shape("text", { class: "name", x: x + shift, y: 14, "text-anchor": anchor }, column.label);
    name.append(shape("title", {}, column.title));
    svg.append(name);
    if (column.better) svg.append(shape("text", { x: x + shift, y: 29, "text-anchor": anchor }, column.better));
    const side = last && number > 0 ? 1 : -1;
    const label = (y, text) => svg.append(shape("text", { class: "halo", x: x + 7 * side, y, "text-anchor": side < 0 ? "end" : "start" }, text));
    for (const tick of scale.ticks) {
      svg.append(shape("line", { class: "axis", x1: x, x2: x + 4 * side, y1: tick.at, y2: tick.at }));
      label(tick.at + 4, tick.text);
    }
    if (data.trials.some((trial) => column.at(trial) === null)) label(bottom + 22, "none");
    const brush = brushes.get(number);
    const drawn = shape("rect", { class: "brush", x: x - 7, width: 14, y: 0, height: 0, rx: 2 });
    const set = ([low, high]) => {
      drawn.setAttribute("y", Math.min(low, high));
      drawn.setAttribute("height", Math.abs(high - low));
    };
    if (brush) set(brush);
    const grip = shape("rect", { class: "grip", x: x - 14, width: 28, y: top - 8, height: bottom - top + 32 });
    svg.append(drawn, grip);
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      const from = event.clientY - svg.getBoundingClientRect().top;
      let range = null;
      const move = (moved) => {
        range = [from, moved.clientY - svg.getBoundingClientRect().top];
        set(range);
      };
      grip.addEventListener("pointermove", move);
      grip.addEventListener("pointerup", () => {
        grip.removeEventListener("pointermove", move);
        if (range && Math.abs(range[1] - range[0]) > 3) brushes.set(number, [Math.min(...range), Math.max(...range)]);
        else brushes.delete(number);
        pick(top, bottom);
      }, { once: true });
    });
  }

  function pick(top, bottom) {
    const scales = columns.map((column) => column.scale([bottom, top]));
    selected = brushes.size === 0 ? null : new Set();
    data.trials.forEach((trial, index) => {
      const inside = ([number, [low, high]]) => {
        const y = scales[number].at(columns[number].at(trial)) ?? bottom + 18;
        return y >= low && y <= high;
      };
      if (selected !== null && [...brushes].every(inside)) selected.add(index);
    });
    redrawAll();
  }
}

function drawScaleLegend(box) {
  const legend = element("div", { class: "controls" });
  box.append(legend);
  view(legend, (parent) => {
    const shade = shades();
    parent.style.display = "flex";
    parent.style.alignItems = "center";
    parent.style.flexWrap = "wrap";
    parent.style.gap = "4px 8px";
    const bar = element("span");
    bar.style.cssText = `display:inline-block;width:120px;height:10px;border-radius:3px;background:linear-gradient(90deg,${[0, 0.25, 0.5, 0.75, 1].map(shade).join(",")})`;
    const few = selected === null ? "" : ` · ${selected.size} of ${data.trials.length} trials are picked`;
    parent.append("worst", bar, `best ${data.objectives[0].name}, by rank · dashed: no objective${few}`);
  });
}
