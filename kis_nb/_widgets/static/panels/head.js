// Status, progress, errors and the cards. This panel also looks after the dashboard around it: it
// greys what is not of the chosen view, has the charts show what the page holds of it, and names the
// controls.

import { saveFile } from "../shared/download.js";
import { h, setText } from "../shared/elements.js";
import { PAGE } from "../shared/page.js";
import { ageText } from "./ages.js";
import { Cards } from "./cards.js";
import { chartsAsPng } from "./chart_png.js";
import { ControlNames, chosenView, isOtherView, moveByArrow } from "./controls.js";
import { panel } from "./panel.js";
import { Progress } from "./progress.js";

// A click on a view that the kernel has ready is answered within this time: greying it would flicker.
const GREY_AFTER_MS = 150;

/**
 * @typedef {object} Head
 * @property {string} lang
 * @property {string} colors
 * @property {Record<string, string>} names
 * @property {Record<string, string>} words
 * @property {string[]} status words of the status line
 * @property {boolean} demo whether the figures are invented
 * @property {string} note
 * @property {number | null} as_of when the figures were pulled, in seconds of the kernel's clock
 * @property {number[] | null} shown which option of each control is the view on show
 * @property {boolean} stale
 * @property {string} file a name for files, without an ending
 * @property {{name: string, text: string}[]} explain
 * @property {import("./progress.js").Busy | null} busy
 * @property {{what: string, todo: string, detail: string} | null} error
 * @property {string | null} call
 * @property {import("./cards.js").Card[]} cards
 */

const SEPARATOR = " · ";

export default panel((el, act) => {
  el.classList.add("kis-head");
  const status = h("span.kis-status", { role: "status" });
  const age = h("span.kis-age");
  const note = h("span.kis-note");
  const progress = new Progress(() => act("cancel"));
  const png = h("button.kis-png", { type: "button", onclick: savePng });
  const error = h("div.kis-error", { role: "alert", hidden: true });
  const call = h("div.kis-call", { role: "alert", hidden: true });
  const cards = new Cards();
  const explain = h("div.kis-explain");
  el.append(
    explain,
    h(
      "div.kis-line",
      h("div.kis-states", status, age, note),
      h("div.kis-busy", progress.el, progress.cancel, png),
    ),
    error,
    call,
    cards.el,
  );

  /** @type {Head} */
  let parts;
  let skew = 0;
  /** @type {HTMLElement | null} */
  let root = null; // the dashboard around this panel, once it is on the page
  const names = new ControlNames();
  const kernelNow = () => Date.now() / 1000 + skew;

  async function savePng() {
    const blob = root && (await chartsAsPng(root, status.textContent));
    if (blob) saveFile(`${parts.file}.png`, "image/png", blob);
  }

  function tick() {
    if (!parts) return;
    progress.tick(kernelNow());
    setText(age, parts.as_of == null ? "" : ageText(kernelNow() - parts.as_of, parts.words));
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let later;

  /**
   * Grey what is shown while it is not certain, or while another view is chosen and does not come at
   * once.
   * @param {boolean} [waited] whether the time for "at once" is over
   */
  function grey(waited = false) {
    if (!root) return;
    const other = isOtherView(parts.shown, chosenView(root));
    if (!other || waited) root.classList.toggle("kis-stale", parts.stale || other);
    if (!other) {
      clearTimeout(later);
      later = undefined;
    }
    // Not put off by what arrives meanwhile: a pull reports each page.
    else
      later ??= setTimeout(() => {
        later = undefined;
        grey(true);
      }, GREY_AFTER_MS);
  }

  // A chart that holds what is now chosen shows it without waiting for the kernel.
  function showChosen() {
    if (!root) return;
    const detail = chosenView(root).join("/");
    for (const frame of root.querySelectorAll(".kis-chart-frame"))
      frame.dispatchEvent(new CustomEvent("kis-show-variant", { detail }));
    grey();
  }

  const ended = new AbortController();
  let moved = new AbortController();

  function lookAfterDashboard() {
    /** @type {HTMLElement | null} */
    const around = el.closest(".kis-dashboard");
    if (around && around !== root) {
      moved.abort();
      moved = new AbortController();
      root = around;
      root.addEventListener("change", showChosen, { signal: moved.signal });
      root.addEventListener("keydown", moveByArrow, { signal: moved.signal });
    }
    if (!root || !parts) return;
    names.apply(root, parts);
    grey();
    root.classList.toggle("kis-blank", parts.as_of == null);
  }

  const placed = new ResizeObserver(() => {
    lookAfterDashboard();
    if (root) placed.disconnect();
  });
  placed.observe(el);
  const ticker = setInterval(tick, 1000);
  // The kernel goes on refreshing while a page shows the dashboard: nothing else reports to it that a
  // cell was run again.
  const view = `${PAGE.id}-${++PAGE.views}`;
  act("shown", view);
  addEventListener("pagehide", () => act("hidden", view), { signal: ended.signal });
  addEventListener("pageshow", (event) => event.persisted && act("shown", view), {
    signal: ended.signal,
  });

  function drawStatus() {
    const mark = parts.demo ? [h("b.kis-demo", { title: parts.words.demo }, "DEMO")] : [];
    const line = [...parts.status, ...mark].flatMap((part, at) => (at ? [SEPARATOR, part] : part));
    // An unchanged line is not announced again.
    if (h("span", line).textContent !== status.textContent) status.replaceChildren(...line);
  }

  function drawError() {
    error.hidden = !parts.error;
    if (!parts.error) return error.replaceChildren();
    const { what, todo, detail } = parts.error;
    error.replaceChildren(h("b", what), " ", h("span", todo), detail ? h("small", detail) : "");
  }

  /** @type {Record<string, () => void>} */
  const draw = {
    explain: () =>
      explain.replaceChildren(
        ...parts.explain.map((one) => h("span", h("b", one.name), " ", one.text)),
      ),
    status: drawStatus,
    demo: drawStatus,
    note: () => setText(note, parts.note ?? ""),
    busy: () => progress.update(parts.busy, kernelNow()),
    error: drawError,
    words: () => setText(png, parts.words.png),
    as_of: () => {
      png.hidden = parts.as_of == null;
    },
    call: () => {
      call.hidden = !parts.call;
      setText(call, parts.call ?? "");
    },
    cards: () => cards.update(parts.cards, parts.words.figures),
  };

  return {
    update(all, changed, newSkew) {
      parts = /** @type {Head} */ (all);
      skew = newSkew;
      for (const name of changed) draw[name]?.();
      lookAfterDashboard();
      tick();
    },
    remove() {
      clearInterval(ticker);
      clearTimeout(later);
      placed.disconnect();
      moved.abort();
      ended.abort();
      act("hidden", view);
    },
  };
});
