// Draws the charts of a template's page from their Vega-Lite specs, with the Vega of the package
// (`vega.js`). Each `.site-chart` holds a JSON object of specs: for "ko-light", "ko-dark",
// "en-light" and "en-dark", or for "" when the template made a chart of its own.
(() => {
  "use strict";

  const LANGUAGES = { ko: "한국어", en: "English" };
  const STORED = "kis_nb-chart-language";
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const NARROW = 520;
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

  function choose(code) {
    try {
      localStorage.setItem(STORED, code);
    } catch {
      // Then the choice holds for nothing but this click.
    }
    charts.forEach((chart) => chart.draw(code));
  }

  // Text only: names in it come from the wire.
  function tooltip(_handler, event, _item, value) {
    document.getElementById("site-tip")?.remove();
    if (value == null || value === "") return;
    const box = document.body.appendChild(document.createElement("div"));
    box.id = "site-tip";
    const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
    for (const [name, text] of lines) {
      if (text == null || text === "" || text === "null") continue;
      box.appendChild(document.createElement("span")).textContent = name;
      box.appendChild(document.createElement("b")).textContent = String(text);
    }
    const { width, height } = box.getBoundingClientRect();
    const place = (at, size, end) => Math.max(0, at + 14 + size > end ? at - 14 - size : at + 14);
    box.style.left = `${place(event.clientX, width, innerWidth)}px`;
    box.style.top = `${place(event.clientY, height, innerHeight)}px`;
  }

  const OPTIONS = { actions: false, defaultStyle: false, renderer: "svg", tooltip };

  class Chart {
    constructor(element) {
      this.specs = JSON.parse(element.querySelector("script").textContent);
      this.stage = document.createElement("div");
      this.stage.className = "site-chart-stage";
      // A chart of the template's own has its colours fixed, for a light page.
      this.stage.classList.toggle("site-chart-paper", "" in this.specs);
      this.code = language();
      const codes = Object.keys(LANGUAGES).filter((code) => `${code}-light` in this.specs);
      if (codes.length > 1) element.appendChild(this.switcher(codes));
      element.appendChild(this.stage);
      new ResizeObserver(() => this.draw()).observe(this.stage);
    }

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
      this.turn = (this.turn ?? Promise.resolve())
        .then(() => wanted === this.wanted && this.paint())
        .catch((error) => {
          this.stage.textContent = `The chart could not be drawn: ${error.message}`;
          console.error(error);
        });
    }

    async paint() {
      const chosen = this.specs[""] ?? this.specs[`${this.code}-${theme()}`] ?? this.first();
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
        axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line },
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
      const { view } = await vegaEmbed(fresh, spec, OPTIONS);
      // Labels of one or two lines take their room in the run after.
      await view.resize().runAsync();
      this.view?.finalize();
      this.view = view;
      fresh.className = "";
      this.stage.replaceChildren(fresh);
      this.buttons?.forEach((button) => {
        button.setAttribute("aria-pressed", String(button.dataset.code === this.code));
      });
    }

    // A template that names the language has its chart in no other.
    first() {
      const [name] = Object.keys(this.specs).filter((key) => key.endsWith(theme()));
      return this.specs[name];
    }
  }

  charts.push(...[...document.querySelectorAll(".site-chart")].map((one) => new Chart(one)));
  const redraw = () => charts.forEach((chart) => chart.draw());
  prefersDark.addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.body, { attributeFilter: ["data-theme"] });
})();
