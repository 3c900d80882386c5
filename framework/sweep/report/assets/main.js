// Draws the page, and follows the theme and the width of the window.
applyTheme();
const main = document.querySelector("main");
drawSummary(main);
drawParallel(main);
drawCurves(main);
drawSlices(main);
const pair = element("div", { class: "columns" });
main.append(pair);
drawImportance(pair);
drawHistory(pair);
drawPareto(main);
drawMeans(main);
drawTrials(main);
// The last ones changed the height of the page, and a scroll bar its width.
redrawAll();

document.getElementById("theme").addEventListener("click", () => {
  chosen = themes[(themes.indexOf(chosen) + 1) % themes.length];
  applyTheme();
  redrawAll();
});
dark.addEventListener("change", () => {
  applyTheme();
  redrawAll();
});
let width = window.innerWidth;
let waiting = 0;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    redrawAll();
  }, 120);
});
if (document.documentElement.dataset.ready !== "failed") document.documentElement.dataset.ready = "true";
