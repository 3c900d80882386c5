// Elements, scales, ticks and numbers: what all charts are drawn with. Text from the data only ever becomes text nodes.
const data = JSON.parse(document.getElementById("data").textContent);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes = {}, text = null) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

function picture(parent, width, height, label) {
  const made = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  parent.append(made);
  return made;
}

function section(parent, title, note = "") {
  const box = element("section", {}, element("h2", {}, title));
  if (note) box.append(element("p", { class: "note" }, note));
  parent.append(box);
  return box;
}

// A number in four significant digits, as people write it.
function tell(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}

function extent(values) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  if (!known.length) return [0, 1];
  let [low, high] = [Math.min(...known), Math.max(...known)];
  if (low === high) [low, high] = low === 0 ? [-1, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  return [low, high];
}

// Values above zero that span a factor of 20 are read better on a log axis.
function spansDecades(values) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  return known.length > 0 && Math.min(...known) > 0 && Math.max(...known) >= 20 * Math.min(...known);
}

// A scale gives pixels for values. `log`: values are taken to their logarithm first. `logged`: they are one already.
function scaleOf(values, [from, to], { log = false, logged = false, pad = 0.03 } = {}) {
  const taken = log ? values.map((value) => (value > 0 ? Math.log10(value) : null)) : values;
  let [low, high] = extent(taken);
  const margin = (high - low) * pad;
  [low, high] = [low - margin, high + margin];
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  const at = (value) => {
    if (value === null || value === undefined || (log && value <= 0)) return null;
    return place(log ? Math.log10(value) : value);
  };
  const powers = log || logged;
  const many = Math.max(2, Math.min(7, Math.floor(Math.abs(to - from) / 42)));
  const ticks = (powers ? powerTicks(low, high, many) : plainTicks(low, high, many)).map((value) => ({
    at: place(value),
    text: tell(powers ? Number((10 ** value).toPrecision(3)) : Number(value.toPrecision(10))),
  }));
  return { at, ticks, from, to };
}

function plainTicks(low, high, many) {
  const rough = (high - low) / many;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let index = Math.ceil(low / step); index * step <= high; index += 1) found.push(index * step);
  return found;
}

function powerTicks(low, high, many) {
  const found = [];
  const every = Math.max(1, Math.ceil((high - low) / many));
  for (let power = Math.ceil(low); power <= high; power += every) found.push(power);
  if (found.length >= 3) return found;
  for (let power = Math.floor(low); power <= high; power += 1)
    for (const factor of [2, 5]) {
      const value = power + Math.log10(factor);
      if (value >= low && value <= high) found.push(value);
    }
  return found.length >= 2 ? found.sort((one, other) => one - other) : [low, high];
}

function wordScale(words, [from, to]) {
  const place = (value) => (words.length < 2 ? (from + to) / 2 : from + ((value + 0.5) / words.length) * (to - from));
  const ticks = words.map((text, index) => ({ at: place(index), text: text.length > 18 ? text.slice(0, 17) + "…" : text }));
  return { at: (value) => (value === null ? null : place(value)), ticks, from, to };
}

// The scale of a swept key, whose values come as the report places them: logarithms, numbers, or places among words.
function axisScale(axis, index, range) {
  if (axis.kind === "words") return wordScale(axis.words, range);
  const values = data.trials.map((trial) => trial.at[index]);
  const scale = scaleOf(values, range, { logged: axis.kind === "log", pad: 0.05 });
  // A few values are better marked themselves, unless they stand too close to be told apart.
  const few = [...new Set(values.filter((value) => value !== null))].sort((one, other) => one - other);
  const places = few.map(scale.at);
  const apart = places.every((place, at) => !at || Math.abs(place - places[at - 1]) >= 15);
  if (few.length < 2 || few.length > 10 || !apart) return scale;
  const texts = new Map(data.trials.map((trial) => [trial.at[index], trial.values[index]]));
  return { ...scale, ticks: few.map((value, at) => ({ at: places[at], text: tell(Number(texts.get(value))) })) };
}

function frame(svg, x, y, left, right, top, bottom) {
  for (const tick of y.ticks) {
    svg.append(shape("line", { class: "grid", x1: left, x2: right, y1: tick.at, y2: tick.at }));
    svg.append(shape("text", { x: left - 6, y: tick.at + 4, "text-anchor": "end" }, tick.text));
  }
  let free = -Infinity;
  for (const tick of x.ticks) {
    const half = tick.text.length * 3.4;
    svg.append(shape("line", { class: "axis", x1: tick.at, x2: tick.at, y1: bottom, y2: bottom + 4 }));
    if (tick.at - half < free) continue;
    free = tick.at + half + 6;
    svg.append(shape("text", { x: tick.at, y: bottom + 17, "text-anchor": "middle" }, tick.text));
  }
  svg.append(shape("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
}

function path(points) {
  let text = "";
  let pen = false;
  for (const [x, y] of points) {
    if (x === null || y === null || !Number.isFinite(y)) pen = false;
    else {
      text += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = true;
    }
  }
  return text;
}

function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}
