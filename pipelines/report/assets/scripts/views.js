// Pages within the page, by address: a member (#UZB), a comparison (#compare=UZB,KAZ), an indicator (#internet_users_pct).
// They are put together from the rows of the report, so that every figure has one text.
const view = $("view");
const MOST = 4;
const reportTitle = document.title;
const memberCodes = [...country.options].map((option) => option.value).filter(Boolean);
const nameOf = (iso3) => [...country.options].find((option) => option.value === iso3).textContent;
const copyOf = (node) => {
  const copy = node.cloneNode(true);
  for (const one of [copy, ...copy.querySelectorAll("[id]")]) one.removeAttribute("id");
  for (const extra of copy.querySelectorAll(".get, .cue, .downloads")) extra.remove();
  for (const button of copy.querySelectorAll("thead button")) button.replaceWith(...button.childNodes);
  for (const heading of copy.querySelectorAll("[aria-sort]")) heading.removeAttribute("aria-sort");
  return copy;
};
const headsOf = (table) => [...table.tHead.rows[0].cells].map(textOf);
const tableOf = (caption, heads, rows) => {
  const scroll = element("div", "", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption });
  const table = element("table", "", { className: "sortable" });
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  heads.forEach((text, n) => {
    const className = rows[0]?.cells[n]?.classList.contains("n") ? "n" : "";
    head.append(element("th", text, { scope: "col", className }));
  });
  const body = table.createTBody();
  for (const { cells, key, iso3 } of rows) {
    const row = body.insertRow();
    if (key) row.dataset.row = key;
    if (iso3) row.dataset.iso3 = iso3;
    row.append(...cells);
  }
  scroll.append(table);
  return scroll;
};
const rowHead = (content) => {
  const cell = element("th", typeof content === "string" ? content : "", { scope: "row" });
  if (typeof content !== "string") cell.append(content);
  return cell;
};
const dash = () => element("td", "–", { className: "n" });
const linkTo = (hash, text) => element("a", text, { href: `#${hash}` });
const figureOf = (key, members, caption) => {
  const figure = element("figure", "", { className: "card" });
  if (caption) figure.append(element("figcaption", caption));
  const holder = element("div", "", { className: "holder" });
  holder.dataset.chart = key;
  if (members) holder.dataset.members = members;
  figure.append(holder);
  return figure;
};
const cellRow = (iso3, id) =>
  document.querySelector(`.card tr[data-row="indicator_scores?iso3=${iso3}&indicator_id=${id}"]`);
const part = (level, text, ...content) => [element(`h${level}`, text), ...content];

// ---- facts of a member: the cells of a table as a list
const factsOf = (table, iso3) => {
  const row = table.querySelector(`tbody tr[data-iso3="${iso3}"]`);
  const list = element("dl", "", { className: "facts" });
  headsOf(table).forEach((head, column) => {
    if (!column) return;
    const fact = element("div");
    const value = element("dd");
    value.append(...copyOf(row.cells[column]).childNodes);
    fact.append(element("dt", head), value);
    list.append(fact);
  });
  return list;
};
const sectionsOfPillars = () => [...document.querySelectorAll("#pillars section[id]:has(.card[id])")];
const cardsOf = (section) => [...section.querySelectorAll(".card[id]")];
const titleOf = (card) => textOf(card.querySelector("h4"));
const SHOWN = ["latest_value", "latest_year", "baseline_value", "level_score", "projection", "probability_of_target"];

const memberRows = (section, iso3) =>
  cardsOf(section).map((card) => {
    const row = cellRow(iso3, card.id);
    const pick = (query) => (row.querySelector(query) ? copyOf(row.querySelector(query)) : dash());
    const columns = SHOWN.map((column) => pick(`[data-column="${column}"]`));
    const unit = element("td", card.dataset.unit);
    const cells = [rowHead(linkTo(card.id, titleOf(card))), unit, ...columns, pick(".status"), pick(".reason")];
    return { cells, key: row.dataset.row };
  });
const memberHeads = () => {
  const table = cards.map((card) => card.querySelector("table")).find((one) => one.querySelector("[data-column=projection]"));
  const row = table.tBodies[0].rows[0];
  const heads = headsOf(table);
  const shown = [...SHOWN.map((column) => `[data-column="${column}"]`), ".status", ".reason"];
  const texts = shown.map((query) => heads[row.querySelector(query).cellIndex]);
  return [TEXTS.kind_indicator, TEXTS.unit, ...texts];
};
const claimsOf = (iso3) => {
  const list = element("ul", "", { className: "plain" });
  for (const claim of claims.filter((one) => one.dataset.countries.split(";").includes(iso3))) {
    const line = element("li");
    const link = linkTo(claim.id, textOf(claim.querySelector(".statement > span")));
    link.lang = "en";
    line.append(copyOf(claim.querySelector(".verdict")), " ", link);
    list.append(line);
  }
  return list;
};
const memberView = (iso3) => {
  const name = nameOf(iso3);
  const others = memberCodes.filter((code) => code !== iso3);
  const nav = element("p", `${TEXTS.compare_with} `, { className: "others" });
  others.forEach((code, n) => nav.append(n ? " · " : "", linkTo(`compare=${iso3},${code}`, nameOf(code))));
  const files = [...document.querySelectorAll(`[data-brief="${iso3}"] a`)].map((link) => copyOf(link));
  const brief = element("p", `${TEXTS.brief} `, { className: "others" });
  files.forEach((link, n) => brief.append(n ? " · " : "", link));
  const steps = element("ul", "", { className: "plain" });
  for (const step of document.querySelectorAll(`.steps tr[data-iso3="${iso3}"] .step`)) steps.append(element("li", textOf(step)));
  const progress = document.querySelector("#progress table.progress");
  const charts = element("div", "", { className: "cards" });
  for (const card of cards) charts.append(figureOf(`path:${card.id}`, iso3, titleOf(card)));
  const tables = sectionsOfPillars().flatMap((section) =>
    part(3, textOf(section.querySelector("h3")), tableOf(`${name}: ${textOf(section.querySelector("h3"))}`, memberHeads(), memberRows(section, iso3))),
  );
  return [
    name,
    nav,
    ...(files.length ? [brief] : []),
    factsOf(document.querySelector("table.headline"), iso3),
    ...(progress ? part(2, progress.caption.textContent, factsOf(progress, iso3)) : []),
    ...(steps.children.length ? part(2, TEXTS.steps, steps) : []),
    ...part(2, TEXTS.indicators, ...tables),
    ...part(2, TEXTS.paths, element("p", TEXTS.paths_note, { className: "note" }), charts),
    ...(claims.length ? part(2, TEXTS.claims, claimsOf(iso3)) : []),
  ];
};

// ---- comparison of two to four members
const comparedCell = (iso3, id) => {
  const row = cellRow(iso3, id);
  const value = row.querySelector("[data-column=latest_value]");
  const cell = element("td", "", { className: "n" });
  if (value.dataset.value !== undefined) cell.dataset.value = value.dataset.value;
  const status = row.querySelector(".status");
  const year = textOf(row.querySelector("[data-column=latest_year]"));
  const words = value.dataset.value === undefined ? textOf(row.querySelector(".reason")) : `${year}, ${textOf(status)}`;
  cell.append(copyOf(status.querySelector(".sign")), " ", element("b", textOf(value)), element("span", words, { className: "why" }));
  return cell;
};
const compared = (codes) => {
  const headline = document.querySelector("table.headline");
  const rowOf = (iso3) => headline.querySelector(`tbody tr[data-iso3="${iso3}"]`);
  const facts = headsOf(headline).slice(1).map((head, n) => ({
    cells: [rowHead(head), ...codes.map((iso3) => copyOf(rowOf(iso3).cells[n + 1]))],
  }));
  const names = codes.map(nameOf);
  const title = names.join(", ");
  const parts = sectionsOfPillars().flatMap((section) => {
    const rows = cardsOf(section).map((card) => ({
      cells: [rowHead(linkTo(card.id, `${titleOf(card)} (${card.dataset.unit})`)), ...codes.map((iso3) => comparedCell(iso3, card.id))],
    }));
    const heading = textOf(section.querySelector("h3"));
    return part(3, heading, tableOf(`${heading}: ${title}`, [TEXTS.kind_indicator, ...names], rows));
  });
  const charts = element("div", "", { className: "cards" });
  for (const card of cards) charts.append(figureOf(`path:${card.id}`, codes.join(","), titleOf(card)));
  return [
    ...part(2, TEXTS.scores, tableOf(`${TEXTS.scores}: ${title}`, [TEXTS.part, ...names], facts)),
    ...part(2, TEXTS.indicators, ...parts),
    ...part(2, TEXTS.paths, charts),
  ];
};
const comparisonView = (codes) => {
  const choice = element("fieldset", "", { className: "choice" });
  choice.append(element("legend", TEXTS.choose_members));
  const result = element("div", "", { id: "compared" });
  const boxes = memberCodes.map((iso3) => {
    const label = element("label");
    const box = element("input", "", { type: "checkbox", value: iso3, checked: codes.includes(iso3) });
    label.append(box, ` ${nameOf(iso3)}`);
    choice.append(label);
    return box;
  });
  const show = () => {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    for (const box of boxes) box.disabled = chosen.length >= MOST && !box.checked;
    result.replaceChildren(...(chosen.length > 1 ? compared(chosen) : [element("p", TEXTS.choose_more, { className: "missing" })]));
    equip(result);
    watchCharts(result);
    return chosen;
  };
  choice.addEventListener("change", () => {
    try {
      history.replaceState(null, "", `#compare=${show().join(",")}`);
    } catch {
      // the comparison is shown although the address stays
    }
  });
  setTimeout(show);
  return [TEXTS.compare, choice, result];
};

// ---- an indicator
const observations = async (id, holder) => {
  const { charts } = await loadContent();
  const rows = (charts[`path:${id}`]?.spec.data.values ?? []).filter((row) => row.observed !== undefined);
  const years = [...new Set(rows.map((row) => row.year))].sort((a, b) => b - a);
  const format = new Intl.NumberFormat(root.lang, { maximumSignificantDigits: 5 });
  const found = new Map(rows.map((row) => [`${row.iso3} ${row.year}`, row.observed]));
  const lines = years.map((year) => ({
    cells: [rowHead(String(year)), ...memberCodes.map((iso3) => {
      const value = found.get(`${iso3} ${year}`);
      const cell = value === undefined ? dash() : element("td", format.format(value), { className: "n" });
      if (value !== undefined) cell.dataset.value = value;
      return cell;
    })],
  }));
  const title = `${TEXTS.observations}: ${titleOf($(id))}`;
  holder.append(tableOf(title, [TEXTS.year, ...memberCodes.map(nameOf)], lines));
  equip(holder);
};
const registersOf = (id) =>
  [`#sources tr[data-indicator="${id}"]`, `tr[data-row="source_health?indicator_id=${id}"]`, `tr[data-row="benchmarks?indicator_id=${id}"]`]
    .map((query) => document.querySelector(query))
    .filter(Boolean)
    .map((row) => {
      const table = row.closest("table");
      return tableOf(captionOf(table), headsOf(table), [{ cells: [...copyOf(row).cells], key: row.dataset.row }]);
    });
const indicatorView = (id) => {
  const card = $(id);
  const charts = element("div", "", { className: "cards" });
  charts.append(figureOf(id, "", TEXTS.members_now), figureOf(`path:${id}`, "", TEXTS.paths), figureOf(`world:${id}`, "", TEXTS.world));
  const details = [...card.querySelectorAll(":scope > details > :not(summary, .get, .cue)")].map(copyOf);
  const tags = copyOf(card.querySelector(".tags"));
  const seenYears = element("div");
  observations(id, seenYears);
  const paths = document.querySelector(`[data-path="${id}"] .scroll`);
  return [
    titleOf(card),
    tags,
    ...details.filter((one) => one.tagName === "P"),
    charts,
    element("p", TEXTS.world_note, { className: "note" }),
    ...part(2, TEXTS.figures, ...details.filter((one) => one.tagName !== "P")),
    ...(paths ? part(2, TEXTS.paths, copyOf(paths)) : []),
    ...part(2, TEXTS.observations, seenYears),
    ...part(2, TEXTS.sources, ...registersOf(id)),
  ];
};

// ---- which page the address asks for
const open = ([title, ...content]) => {
  const heading = element("h1", title, { tabIndex: -1 });
  const back = element("p");
  back.append(linkTo("members", TEXTS.back));
  view.replaceChildren(back, heading, ...content);
  view.hidden = false;
  document.body.classList.add("viewing");
  document.title = `${title} – ${reportTitle}`;
  equip(view);
  watchCharts(view);
  const arrive = () => {
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
  };
  arrive();
  // the browser moves the focus to the part of the address once the page is loaded
  if (document.readyState !== "complete") window.addEventListener("load", () => setTimeout(arrive), { once: true });
};
const close = () => {
  view.hidden = true;
  view.replaceChildren();
  document.body.classList.remove("viewing");
  document.title = reportTitle;
};
const route = () => {
  const hash = decodeURIComponent(location.hash.slice(1));
  if (memberCodes.includes(hash)) return open(memberView(hash));
  if (/^compare(=|$)/.test(hash)) {
    const asked = hash.slice(8).split(",").filter((code) => memberCodes.includes(code));
    return open(comparisonView([...new Set(asked)].slice(0, MOST)));
  }
  if (cards.some((card) => card.id === hash)) return open(indicatorView(hash));
  close();
  const target = hash && document.getElementById(hash);
  if (!target) return;
  reveal(target);
  const details = target.matches("tr.claim") && target.querySelector("details");
  if (details) details.open = true;
  target.scrollIntoView();
};
