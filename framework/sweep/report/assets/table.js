// A table that a click on a heading sorts. `columns`: name, key (what a row is sorted by), text (what its cell shows, if
// not the key), title, number, fill (puts into the cell what is no text). `mark`: the class of a row.
function sortedTable(box, id, columns, rows, { sorted, rising, visible, mark = () => "" }) {
  const head = element("tr");
  const body = element("tbody");
  box.append(element("div", { class: "wide tall" }, element("table", { id }, element("thead", {}, head), body)));
  const sort = (index) => {
    rising = sorted === index ? !rising : true;
    sorted = index;
    fill();
  };
  columns.forEach((column, index) => {
    const cell = element("th", { scope: "col", tabindex: 0, title: column.title ?? "", ...(column.number ? { class: "number" } : {}) }, column.name);
    cell.addEventListener("click", () => sort(index));
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort(index);
      }
    });
    head.append(cell);
  });
  // What has no value comes last, whichever way the column is sorted.
  const compare = (one, other) => {
    const [a, b] = [one, other].map((index) => columns[sorted].key(rows[index]));
    const [no, none] = [a, b].map((value) => value === null || value === "");
    if (no || none) return no - none || one - other;
    const way = a < b ? -1 : a > b ? 1 : 0;
    return (rising ? way : -way) || one - other;
  };
  function fill() {
    [...head.children].forEach((cell, index) => {
      if (index === sorted) cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
    const places = rows.map((_, index) => index).filter(visible).sort(compare);
    body.replaceChildren(...places.map(line));
  }
  function line(index) {
    const row = element("tr", mark(index) ? { class: mark(index) } : {});
    for (const column of columns) {
      const cell = element("td", column.number ? { class: "number" } : {});
      if (column.fill) column.fill(cell, rows[index]);
      else cell.append(column.text ? column.text(rows[index]) : tell(column.key(rows[index])));
      row.append(cell);
    }
    return row;
  }
  fill();
  views.push(fill);
}
