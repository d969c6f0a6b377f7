// Charts: drawn by Vega-Lite when they come into view, from the specifications in the page; labels; download.
const unpack = async (id) => {
  const bytes = Uint8Array.from(atob($(id).textContent.trim()), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};
let library;
let content;
const loadLibrary = () =>
  (library ??= unpack("packed-library").then((code) => {
    const script = element("script", `(() => {${code}\n})();`);
    document.head.append(script);
    script.remove();
  }));
const loadContent = () => (content ??= unpack("packed-charts").then(JSON.parse));

// ---- a chart of some members has only their rows
const specOf = (chart, config, members) => {
  const spec = { ...chart.spec, config };
  if (members) {
    const values = spec.data.values.filter((row) => members.includes(row.iso3));
    if (!values.length) return null;
    spec.data = { values };
    spec.columns = Math.min(spec.columns, members.length);
  }
  return spec;
};
const tidy = (svg, title) => {
  for (const one of svg.querySelectorAll("*")) {
    const label = one.getAttribute("aria-label");
    if (label) one.dataset.label = label;
    for (const name of ["aria-label", "aria-roledescription", "aria-hidden", "role"]) one.removeAttribute(name);
  }
  svg.setAttribute("class", "chart");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", title);
  svg.removeAttribute("aria-hidden");
  svg.style.maxWidth = `${svg.getAttribute("width")}px`;
};
const drawNow = async (figure) => {
  const { charts, config, locale } = await loadContent();
  await loadLibrary();
  const chart = charts[figure.dataset.chart];
  const spec = chart && specOf(chart, config, figure.dataset.members?.split(","));
  if (!spec) return figure.replaceChildren(element("p", TEXTS.no_figures, { className: "note" }));
  const box = element("div");
  const options = { actions: false, renderer: "svg", ast: true, tooltip: false, defaultStyle: false, hover: false };
  const made = await window.vegaEmbed(box, spec, { ...options, mode: "vega-lite", formatLocale: locale });
  const svg = box.querySelector("svg");
  tidy(svg, chart.title);
  made.finalize();
  figure.replaceChildren(svg, downloads(svg, chart.title));
  highlight(figure);
};
let queue = Promise.resolve();
const draw = (figure) => {
  if (figure.dataset.drawn) return queue;
  figure.dataset.drawn = "1";
  queue = queue
    .then(() => drawNow(figure))
    .catch((error) => {
      console.error(error);
      figure.replaceChildren(element("p", TEXTS.no_chart, { className: "note" }));
    });
  return queue;
};
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: "300px" },
);
const watchCharts = (within) => {
  for (const figure of within.querySelectorAll("[data-chart]:not([data-drawn])")) seen.observe(figure);
  for (const svg of within.querySelectorAll("svg.chart")) {
    if (!svg.nextElementSibling?.classList.contains("downloads")) svg.after(downloads(svg, svg.ariaLabel));
  }
};
const drawAll = async () => {
  for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
  await queue;
};

// ---- download of a chart
const standalone = (svg) => {
  const copy = svg.cloneNode(true);
  const [, , width, height] = svg.getAttribute("viewBox").split(/[ ,]+/).map(Number);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  copy.setAttribute("font-family", "DejaVu Sans, Arial, sans-serif");
  copy.removeAttribute("style");
  return { text: new XMLSerializer().serializeToString(copy), width, height };
};
const savePng = (svg, name) => {
  const { text, width, height } = standalone(svg);
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = element("canvas", "", { width: width * 3, height: height * 3 });
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(name, "image/png", blob), "image/png");
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
};
const downloads = (svg, title) => {
  const bar = element("p", "", { className: "downloads" });
  for (const kind of ["SVG", "PNG"]) {
    const button = element("button", kind, { type: "button", className: "get" });
    button.setAttribute("aria-label", fill(TEXTS.picture, { kind, title }));
    button.title = button.ariaLabel;
    button.addEventListener("click", () => {
      const name = `${fileName(title)}.${kind.toLowerCase()}`;
      if (kind === "PNG") savePng(svg, name);
      else save(name, "image/svg+xml", standalone(svg).text);
    });
    bar.append(button);
  }
  return bar;
};

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
const hideTip = () => (tip.hidden = true);
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.addEventListener("scroll", hideTip, { capture: true, passive: true });
