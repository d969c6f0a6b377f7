// Tables: sorting, a cue where columns are out of sight, download as CSV, copying as numbers.
// The scripts of this folder share one scope; `TEXTS` has their words. The page can be read without them.
const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
const element = (name, text = "", more = {}) => {
  const made = Object.assign(document.createElement(name), more);
  if (text) made.textContent = text;
  return made;
};

// ---- sorting: a button in every heading, so that keys and screen readers reach it
const keyOf = (row, column) => {
  const cell = row.cells[column];
  const value = cell.dataset.value ?? cell.textContent.trim();
  const number = Number(value);
  return { empty: value === "" || value.startsWith("–"), number: Number.isNaN(number) ? null : number, text: value };
};
const compareKeys = (a, b) =>
  a.number !== null && b.number !== null ? a.number - b.number : a.text.localeCompare(b.text, root.lang);
const sort = (table, heading, column) => {
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
  rows.sort((a, b) => {
    if (a.key.empty !== b.key.empty) return a.key.empty ? 1 : -1; // missing values are last in both directions
    return (ascending ? 1 : -1) * compareKeys(a.key, b.key);
  });
  body.append(...rows.map(({ row }) => row));
};
const makeSortable = (table) => {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = element("button", "", { type: "button" });
    button.append(...heading.childNodes);
    button.title = fill(TEXTS.sort, { column: button.textContent });
    button.addEventListener("click", () => sort(table, heading, column));
    heading.append(button);
  });
};

// ---- download: exact figures, not the rounded ones; text that a spreadsheet would compute is marked as text
const save = (name, type, content) => {
  const link = element("a", "", { download: name, href: URL.createObjectURL(new Blob([content], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
const fileName = (text) => text.trim().toLocaleLowerCase(root.lang).replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 70);
const plain = (text) => text.replaceAll("\u2212", "-").replace(/(\d)\u00a0(?=\d{3})/g, "$1");
const csvCell = (cell) => {
  const text = cell.dataset.value ?? plain(cell.textContent.replace(/\s+/g, " ").trim());
  const safe = /^[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const csvOf = (table) => [...table.rows].map((row) => [...row.cells].map(csvCell).join(",")).join("\r\n");
const captionOf = (table) => (table.caption ? table.caption.textContent.trim() : "");
const offerCsv = (table) => {
  const button = element("button", "CSV", { type: "button", className: "get" });
  button.setAttribute("aria-label", fill(TEXTS.csv, { title: captionOf(table) }));
  button.title = button.ariaLabel;
  button.addEventListener("click", () =>
    save(`${fileName(captionOf(table))}.csv`, "text/csv;charset=utf-8", `\ufeff${csvOf(table)}\r\n`),
  );
  (table.closest(".scroll") ?? table).after(button);
};

// ---- a cue where a table continues to the right
const watcher = new ResizeObserver((entries) => {
  for (const { target } of entries) target.classList.toggle("wide", target.scrollWidth > target.clientWidth + 1);
});
const equip = (within) => {
  for (const table of within.querySelectorAll("table")) {
    if (table.classList.contains("sortable")) makeSortable(table);
    offerCsv(table);
  }
  for (const scroll of within.querySelectorAll(".scroll")) {
    const cue = element("p", TEXTS.cue, { className: "cue" });
    cue.ariaHidden = "true";
    scroll.before(cue);
    watcher.observe(scroll);
  }
};

// ---- copied tables paste as numbers: a hyphen for the minus sign, no spaces within thousands
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return;
  const part = element("div");
  const within = selection.getRangeAt(0).commonAncestorContainer;
  const table = within.parentElement?.closest("table");
  part.append(selection.getRangeAt(0).cloneContents());
  const markup = plain(part.innerHTML);
  event.clipboardData.setData("text/plain", plain(selection.toString()));
  event.clipboardData.setData("text/html", table ? `<table>${markup}</table>` : markup);
  event.preventDefault();
});
