// The chosen member, and the filter of the claims.
const claims = [...document.querySelectorAll("tr.claim")];
const country = $("country");
const filterClaims = () => {
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
  $("filters").addEventListener("input", filterClaims);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => setTimeout(filterClaims));
}

// ---- a chosen member is marked in the tables and charts, and kept in the page address
const chosenName = () => (country.value ? country.selectedOptions[0].textContent : "");
const highlight = (within) => {
  const name = chosenName();
  for (const label of within.querySelectorAll("svg text")) {
    label.classList.toggle("chosen", Boolean(name) && label.textContent === name);
  }
  for (const mark of within.querySelectorAll("svg [data-label]")) {
    const concerned = mark.closest("svg").querySelector(".chosen");
    mark.classList.toggle("away", Boolean(concerned) && !mark.dataset.label.startsWith(`${name}:`));
  }
};
const choose = () => {
  const iso3 = country.value;
  for (const marked of document.querySelectorAll("[data-iso3]")) {
    marked.classList.toggle("picked", marked.dataset.iso3 === iso3);
  }
  highlight(document);
  const address = new URL(location.href);
  if (iso3) address.searchParams.set("country", iso3);
  else address.searchParams.delete("country");
  try {
    history.replaceState(null, "", address);
  } catch {
    // some browsers do not let a local page change its address; the choice still applies
  }
  $("open-member").hidden = !iso3;
  $("open-member").href = `#${iso3}`;
  filterClaims();
  filterIndicators();
};
