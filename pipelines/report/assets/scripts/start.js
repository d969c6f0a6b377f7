// Start: after all parts are defined.
root.classList.remove("no-js");
equip(document);
watchCharts(document);
const asked = (new URLSearchParams(location.search).get("country") || "").toUpperCase();
if ([...country.options].some((option) => option.value === asked)) country.value = asked;
country.addEventListener("change", choose);
choose();
window.addEventListener("hashchange", route);
route();
