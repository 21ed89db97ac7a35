/* Sorts and filters a table in place; without this script the table is whole, in its own order. */
export function enhance(box) {
  const table = box.querySelector("table");
  if (!table || box.dataset.sortable === "on") return;
  box.dataset.sortable = "on";
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const said = box.querySelector("[data-said]");
  const key = (row, column) => row.cells[column].dataset.key ?? row.cells[column].textContent.trim();

  const sort = (heading, column) => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const numbers = heading.dataset.sort === "number";
    const order = (a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      if (!x || !y) return !x - !y || 0; // what is not measured stays at the end
      return (numbers ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
    };
    body.append(...[...rows].sort(order));
  };

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    if (!heading.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(heading, column));
    heading.append(button);
  });

  const bar = box.querySelector("[data-filters]");
  if (!bar) return;
  bar.hidden = false;
  const filter = () => {
    const word = bar.querySelector("input").value.trim().toLowerCase();
    const choice = bar.querySelector("select").value;
    for (const row of rows) {
      const words = `${row.textContent} ${row.dataset.words ?? ""}`.toLowerCase();
      row.hidden = !words.includes(word) || (choice && row.dataset.group !== choice);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    said.textContent = shown === rows.length ? `${shown} papers` : `${shown} of ${rows.length} papers`;
  };
  bar.addEventListener("input", filter);
  filter();
}
