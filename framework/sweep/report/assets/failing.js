// Says in the page that a script failed: it must not look whole then.
const problem = document.getElementById("error");
function fail(text) {
  problem.hidden = false;
  problem.textContent += `${text}\n`;
  document.documentElement.dataset.ready = "failed";
}
window.addEventListener("error", (event) => fail(`This page could not be drawn: ${event.message} (line ${event.lineno})`));
