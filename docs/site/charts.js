// Draws the charts of a template's page from their Vega-Lite specs, with the Vega of the package
// (`vega.js`). Each `.site-chart` holds a JSON object of specs: for "ko-light", "ko-dark",
// "en-light" and "en-dark", or for "" when the template made a chart of its own.
// `conf.py` joins it with the modules that it imports.

import { showTooltip } from "../../kis_nb/_widgets/static/charts/tooltip.js";

/** @typedef {Record<string, any>} Spec a Vega-Lite spec */

/** @type {Record<string, string>} */
const LANGUAGES = { ko: "한국어", en: "English" };
const STORED = "kis_nb-chart-language";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const NARROW = 520;
/** @type {Chart[]} */
const charts = [];

function theme() {
  const chosen = document.body.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return prefersDark.matches ? "dark" : "light";
}

// Korean unless English was chosen, since the templates' calls name no language.
function language() {
  try {
    return localStorage.getItem(STORED) === "en" ? "en" : "ko";
  } catch {
    return "ko"; // storage is off
  }
}

/** @param {string} code */
function choose(code) {
  try {
    localStorage.setItem(STORED, code);
  } catch {
    // Then the choice holds for nothing but this click.
  }
  for (const chart of charts) chart.draw(code);
}

const OPTIONS = { actions: false, defaultStyle: false, renderer: "svg", tooltip: showTooltip };

class Chart {
  /** @param {Element} element */
  constructor(element) {
    /** @type {Record<string, Spec>} */
    this.specs = JSON.parse(element.querySelector("script")?.textContent ?? "{}");
    /** @type {HTMLButtonElement[]} */
    this.buttons = [];
    this.wanted = "";
    /** @type {Promise<unknown>} */
    this.turn = Promise.resolve();
    /** @type {any} the Vega view on show */
    this.view = null;
    this.stage = document.createElement("div");
    this.stage.className = "site-chart-stage";
    // A chart of the template's own has its colours fixed, for a light page.
    if ("" in this.specs) this.stage.classList.add("kis-chart", "site-chart-paper");
    this.code = language();
    const codes = Object.keys(LANGUAGES).filter((code) => `${code}-light` in this.specs);
    if (codes.length > 1) element.appendChild(this.switcher(codes));
    element.appendChild(this.stage);
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  /** @param {string[]} codes */
  switcher(codes) {
    const group = document.createElement("div");
    group.className = "site-chart-language";
    this.buttons = codes.map((code) => {
      const button = group.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", lang: code, textContent: LANGUAGES[code] });
      button.dataset.code = code;
      button.addEventListener("click", () => choose(code));
      return button;
    });
    return group;
  }

  draw(code = this.code) {
    this.code = code;
    const wanted = [code, theme(), this.stage.clientWidth].join();
    if (wanted === this.wanted || !this.stage.clientWidth) return;
    this.wanted = wanted;
    // One after the other: of two that overlap, the earlier could come last.
    this.turn = this.turn
      .then(() => (wanted === this.wanted ? this.paint() : undefined))
      .catch((error) => {
        this.stage.textContent = `The chart could not be drawn: ${error.message}`;
        console.error(error);
      });
  }

  async paint() {
    const chosen = this.specs[""] ?? this.specs[`${this.code}-${theme()}`] ?? this.first();
    /** @type {Spec} */
    const spec = structuredClone(chosen);
    const style = getComputedStyle(this.stage);
    const [ink, line] = [style.color, style.borderTopColor];
    delete spec.background;
    spec.config = {
      ...spec.config,
      // Vega measures text on a canvas, which knows no CSS variables.
      font: style.fontFamily,
      background: "transparent",
      title: { color: ink },
      axis: {
        labelColor: ink,
        titleColor: ink,
        gridColor: line,
        domainColor: line,
        tickColor: line,
      },
      legend: { labelColor: ink, titleColor: ink },
      view: { ...spec.config?.view, stroke: null },
    };
    if (typeof spec.width === "number") {
      spec.width = Math.min(spec.width, this.stage.clientWidth);
      spec.autosize = { type: "fit-x", contains: "padding" };
    }
    // In a narrow column a title that begins where the bars begin would run into "DEMO".
    if (this.stage.clientWidth < NARROW && spec.title) {
      spec.title = { ...(spec.title.text ? spec.title : { text: spec.title }), frame: "bounds" };
    }
    const fresh = this.stage.appendChild(document.createElement("div"));
    fresh.className = "site-chart-waiting";
    const { view } = await /** @type {any} */ (globalThis).vegaEmbed(fresh, spec, OPTIONS);
    // Labels of one or two lines take their space in the run after.
    await view.resize().runAsync();
    this.view?.finalize();
    this.view = view;
    fresh.className = "";
    this.stage.replaceChildren(fresh);
    for (const button of this.buttons)
      button.setAttribute("aria-pressed", String(button.dataset.code === this.code));
  }

  // A template that names the language has its chart in no other.
  first() {
    const [name] = Object.keys(this.specs).filter((key) => key.endsWith(theme()));
    return this.specs[name];
  }
}

charts.push(...[...document.querySelectorAll(".site-chart")].map((one) => new Chart(one)));
const redraw = () => {
  for (const chart of charts) chart.draw();
};
prefersDark.addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.body, { attributeFilter: ["data-theme"] });
