// Search over members, indicators, sections and claims; filter of the indicators by pillar, status and change.
const lower = (text) => text.toLocaleLowerCase(root.lang);
const textOf = (node) => node.textContent.replace(/\s+/g, " ").trim();
const index = [];
for (const option of country.options) {
  if (option.value) index.push({ kind: TEXTS.kind_member, text: option.textContent, hash: option.value });
}
for (const card of document.querySelectorAll(".card[id]")) {
  index.push({ kind: TEXTS.kind_indicator, text: textOf(card.querySelector("h4")), hash: card.id });
}
for (const heading of document.querySelectorAll("main section[id] > :is(h2, h3)")) {
  index.push({ kind: TEXTS.kind_section, text: textOf(heading), hash: heading.parentElement.id });
}
for (const claim of claims) {
  index.push({ kind: TEXTS.kind_claim, text: textOf(claim.querySelector(".statement > span")), hash: claim.id });
}
const LONGEST = 12;
const find = () => {
  const words = lower($("find").value).split(/\s+/).filter(Boolean);
  const hits = words.length
    ? index.filter(({ text, hash }) => words.every((word) => lower(`${text} ${hash.replaceAll("_", " ")}`).includes(word)))
    : [];
  $("found").replaceChildren(
    ...hits.slice(0, LONGEST).map(({ kind, text, hash }) => {
      const line = element("li");
      line.append(element("a", text, { href: `#${hash}` }), " ", element("span", kind, { className: "tags" }));
      return line;
    }),
  );
  $("found").hidden = !hits.length;
  $("found-count").textContent = words.length ? fill(TEXTS.found, { count: hits.length }) : "";
};
const closeSearch = () => {
  $("find").value = "";
  find();
};
$("find").addEventListener("input", find);
$("find").addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeSearch();
  const first = $("found").querySelector("a");
  if (event.key === "Enter" && first) first.click();
});
$("found").addEventListener("click", (event) => event.target.matches("a") && setTimeout(closeSearch));

// ---- filter: an indicator fits if a member (the chosen one, if any) has the status
const cards = [...document.querySelectorAll(".card[id]")];
const fitsChange = (card, wanted) =>
  !wanted || (wanted === "publication" ? card.dataset.changed === "1" : Number(card.dataset.newest) >= Number(wanted));
const filterIndicators = () => {
  const [pillar, status, change] = ["by-pillar", "by-status", "by-change"].map((id) => $(id).value);
  const active = Boolean(pillar || status || change);
  const member = country.value ? `[data-iso3="${country.value}"]` : "";
  let shown = 0;
  for (const card of cards) {
    const section = card.closest("section");
    const fits =
      (!pillar || section.id === pillar) &&
      (!status || Boolean(card.querySelector(`tr${member} .status .sign.${status}`))) &&
      fitsChange(card, change);
    card.hidden = !fits;
    shown += fits;
  }
  for (const section of new Set(cards.map((card) => card.closest("section")))) {
    const has = cards.some((card) => !card.hidden && card.closest("section") === section);
    section.hidden = !has;
    if (active && has) unfold(section);
  }
  $("indicators-shown").textContent = fill(TEXTS.shown_indicators, { shown, total: cards.length });
};
$("indicator-filters").addEventListener("input", filterIndicators);
$("indicator-filters").addEventListener("submit", (event) => event.preventDefault());
$("indicator-filters").addEventListener("reset", () => setTimeout(filterIndicators));
