// The table of means over seeds: a line for each setting of the other keys, with the deviation beside each mean.
function drawMeans(main) {
  const { names, settings } = data.means;
  if (!settings.length) return;
  const box = section(main, "Means over seeds", "Trials that differ in seeds alone, as mean ± sample standard deviation of those that are done. Click on a heading to sort; metrics sort by their means.");
  const axes = data.axes.map((axis, index) => ({ axis, index })).filter(({ axis }) => !axis.seed);
  const first = (setting) => data.trials[setting.trials[0]];
  const many = (setting) => (setting.done === setting.trials.length ? String(setting.done) : `${setting.done} of ${setting.trials.length}`);
  const columns = [
    ...axes.map(({ axis, index }) => ({ name: axis.label, title: axis.key, key: (setting) => first(setting).at[index], text: (setting) => first(setting).values[index] ?? "–", number: axis.kind !== "words" })),
    { name: "runs", title: "how many the mean is of", key: (setting) => setting.done, text: many, number: true },
    ...names.map((name, index) => ({ name, key: (setting) => setting.spreads[index]?.[0] ?? null, text: (setting) => spread(setting.spreads[index]), number: true })),
  ];
  const best = settings.findIndex((setting) => setting.spreads[0] && setting.spreads[0][0] !== null);
  sortedTable(box, "means", columns, settings, {
    sorted: axes.length + 1,
    rising: data.objectives[0].minimize,
    visible: (index) => settings[index].trials.some(within),
    mark: (index) => (index === best ? "best" : ""),
  });
}

// A single run has no deviation.
function spread(found) {
  if (!found) return "–";
  const [mean, deviation] = found;
  return deviation === null ? tell(mean) : `${tell(mean)} ± ${tell(deviation)}`;
}
