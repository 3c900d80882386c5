// What each key explains of the first objective.
function drawImportance(main) {
  const { shares, score, trials, problem, method } = data.importance;
  const box = section(main, "Importance");
  if (problem) box.append(element("p", { class: "note" }, `${shares.length ? "With care: " : "Not computed: it "}${problem}.`));
  if (shares.length) {
    view(box, (parent, width) => {
      const labels = shares.map(([key]) => data.axes.find((axis) => axis.key === key).label);
      const left = Math.min(width * 0.45, 20 + 7.2 * Math.max(...labels.map((label) => label.length)));
      const svg = picture(parent, width, shares.length * 28 + 6, "importance");
      const span = width - left - 60;
      shares.forEach(([key, share], row) => {
        const y = row * 28 + 4;
        const long = labels[row].length * 7.2 > left - 10;
        const name = shape("text", { class: "name", x: left - 8, y: y + 15, "text-anchor": "end" }, long ? "…" + labels[row].slice(-Math.floor((left - 20) / 7.2)) : labels[row]);
        name.append(shape("title", {}, key));
        svg.append(name, shape("rect", { x: left, y, width: span, height: 20, fill: color("grid"), rx: 3 }));
        svg.append(shape("rect", { x: left, y, width: Math.max(1, span * share), height: 20, fill: color("accent"), rx: 3 }));
        svg.append(shape("text", { x: left + span + 8, y: y + 15 }, `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`));
      });
    });
    box.append(element("p", { class: "note" }, `From ${trials} trials; on trials that its trees have not seen the forest has R² ${score.toFixed(2)}.`));
  }
  const more = element("details", {}, element("summary", {}, "How it is computed, and what it does not tell"), element("p", { class: "note" }, method));
  more.style.fontSize = "13px";
  box.append(more);
}
