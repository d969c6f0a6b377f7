// Sections of the annex: folded under their headings on the screen, whole in print and without scripts.
const folds = [...document.querySelectorAll("section.fold")];
const bodyOf = (section) => section.querySelector(":scope > .fold-body");
const unfold = (section, open = true) => {
  const body = bodyOf(section);
  if (open) body.removeAttribute("hidden");
  else body.setAttribute("hidden", "until-found");
  section.querySelector(":scope > .fold-head > button").ariaExpanded = String(open);
};
for (const section of folds) {
  const heading = section.firstElementChild;
  const body = element("div", "", { className: "fold-body", id: `${section.id}-body` });
  while (heading.nextSibling) body.append(heading.nextSibling);
  section.append(body);
  heading.classList.add("fold-head");
  const button = element("button", "", { type: "button" });
  button.append(...heading.childNodes);
  button.setAttribute("aria-controls", body.id);
  heading.append(button);
  button.addEventListener("click", () => unfold(section, button.ariaExpanded !== "true"));
  body.addEventListener("beforematch", () => unfold(section)); // the browser's own search opens the section
  unfold(section, false);
}
const reveal = (target) => {
  for (let one = target.closest("section.fold"); one; one = one.parentElement.closest("section.fold")) unfold(one);
};
$("open-all").addEventListener("click", () => {
  const open = $("open-all").ariaPressed !== "true";
  $("open-all").ariaPressed = String(open);
  for (const section of folds) unfold(section, open);
});
$("print").addEventListener("click", async () => {
  $("print").disabled = true;
  await drawAll();
  $("print").disabled = false;
  window.print();
});
