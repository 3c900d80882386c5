// Light, dark, or as the system is set; colours are read from the style, so that charts follow it.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const themes = ["auto", "light", "dark"];
const views = [];
let chosen = "auto";

function applyTheme() {
  const now = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = now;
  document.documentElement.style.colorScheme = now;
  document.getElementById("theme").textContent = `theme: ${chosen}`;
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// From the worst (0) to the best (1), along lightness, which every eye tells apart.
function shades() {
  const stops = [0, 1, 2, 3, 4].map((index) => {
    const text = color(`scale${index}`);
    return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
  });
  return (share) => {
    const place = Math.min(3.999, Math.max(0, share * 4));
    const low = Math.floor(place);
    const mixed = stops[low].map((value, index) => Math.round(value + (stops[low + 1][index] - value) * (place - low)));
    return `rgb(${mixed.join(",")})`;
  };
}

// A view is drawn at once, and anew when the width, the theme or the selection changes.
function view(parent, draw) {
  const box = element("div");
  parent.append(box);
  const redraw = () => {
    box.replaceChildren();
    draw(box, Math.max(280, Math.floor(box.clientWidth)));
  };
  views.push(redraw);
  redraw();
  return redraw;
}

function redrawAll() {
  hideTip();
  for (const redraw of views) redraw();
}

// Trials within what was brushed on the parallel axes; null: all.
let selected = null;
function within(index) {
  return selected === null || selected.has(index);
}
