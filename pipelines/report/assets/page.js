"use strict";
// Choosing a member, sorting tables, filtering claims, labels on hover, copying tables. The page works without it.
(() => {
  const root = document.documentElement;
  root.classList.remove("no-js");
  const $ = (id) => document.getElementById(id);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);

  // ---- sorting: a button in every heading, so that keys and screen readers reach it
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.value ?? cell.textContent.trim();
    const number = Number(value);
    return { empty: value === "" || value.startsWith("–"), number: Number.isNaN(number) ? null : number, text: value };
  };
  const compare = (a, b) =>
    a.number !== null && b.number !== null ? a.number - b.number : a.text.localeCompare(b.text, root.lang);
  const sort = (table, heading, column) => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
    rows.sort((a, b) => {
      if (a.key.empty !== b.key.empty) return a.key.empty ? 1 : -1; // missing values are last in both directions
      return (ascending ? 1 : -1) * compare(a.key, b.key);
    });
    body.append(...rows.map(({ row }) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.title = fill(TEXTS.sort, { column: button.textContent });
      button.addEventListener("click", () => sort(table, heading, column));
      heading.append(button);
    });
  }

  // ---- claims: filter by verdict, part, words and the chosen member
  const claims = [...document.querySelectorAll("tr.claim")];
  const country = $("country");
  const filter = () => {
    if (!claims.length) return;
    const words = $("words").value.toLocaleLowerCase(root.lang).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const claim of claims) {
      const { verdict, part, countries } = claim.dataset;
      const text = claim.textContent.toLocaleLowerCase(root.lang);
      const fits =
        (!$("verdict").value || verdict === $("verdict").value) &&
        (!$("part").value || part === $("part").value) &&
        (!country.value || countries.split(";").includes(country.value)) &&
        words.every((word) => text.includes(word));
      claim.hidden = !fits;
      shown += fits;
    }
    $("shown").textContent = fill(TEXTS.shown, { shown, total: claims.length });
  };
  if (claims.length) {
    $("filters").addEventListener("input", filter);
    $("filters").addEventListener("submit", (event) => event.preventDefault());
    $("filters").addEventListener("reset", () => setTimeout(filter));
  }

  // ---- the chosen member, kept in the page address
  const choose = () => {
    const iso3 = country.value;
    const name = iso3 ? country.selectedOptions[0].textContent : "";
    for (const marked of document.querySelectorAll("[data-iso3]")) {
      marked.classList.toggle("picked", marked.dataset.iso3 === iso3);
    }
    for (const label of document.querySelectorAll("svg text")) {
      label.classList.toggle("chosen", Boolean(iso3) && label.textContent === name);
    }
    for (const mark of document.querySelectorAll("svg [data-label]")) {
      const concerned = mark.closest("svg").querySelector(".chosen");
      mark.classList.toggle("away", Boolean(concerned) && !mark.dataset.label.startsWith(`${name}:`));
    }
    const address = new URL(location.href);
    if (iso3) address.searchParams.set("country", iso3);
    else address.searchParams.delete("country");
    try {
      history.replaceState(null, "", address);
    } catch {
      // some browsers do not let a local page change its address; the choice still applies
    }
    filter();
  };
  const asked = (new URLSearchParams(location.search).get("country") || "").toUpperCase();
  if ([...country.options].some((option) => option.value === asked)) country.value = asked;
  country.addEventListener("change", choose);
  choose();

  // ---- labels of marks on hover
  const tip = $("tip");
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest && event.target.closest("svg [data-label]");
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.label;
    const { innerWidth, innerHeight } = window;
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8))}px`;
  });
  const hide = () => (tip.hidden = true);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", hide, { capture: true, passive: true });

  // ---- copied tables paste as numbers: a hyphen for the minus sign, no spaces within thousands
  const plain = (text) => text.replaceAll("\u2212", "-").replace(/(\d)\u00a0(?=\d{3})/g, "$1");
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const part = document.createElement("div");
    const within = selection.getRangeAt(0).commonAncestorContainer;
    const table = within.parentElement?.closest("table");
    part.append(selection.getRangeAt(0).cloneContents());
    const markup = plain(part.innerHTML);
    event.clipboardData.setData("text/plain", plain(selection.toString()));
    event.clipboardData.setData("text/html", table ? `<table>${markup}</table>` : markup);
    event.preventDefault();
  });

  // ---- a link to a claim or an indicator opens its figures
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.matches("tr.claim, .card") && target.querySelector("details");
    if (details) details.open = true;
  };
  window.addEventListener("hashchange", open);
  open();
})();
