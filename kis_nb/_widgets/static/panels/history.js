// The sentences and cards of the History tab. It also greys the tab while what is shown is not what is
// chosen.

import { h, setText } from "../shared/elements.js";
import { Cards } from "./cards.js";
import { panel } from "./panel.js";

/**
 * @typedef {object} Moments
 * @property {{ id: string, text: string }[]} options in order
 * @property {string} begin id of the one that it begins with
 * @property {string} end id of the one that it ends with
 */

/**
 * @typedef {object} Fill
 * @property {string} label of the button; blank without one
 * @property {boolean} busy whether a press does nothing: an account is being filled or read
 * @property {string} line what is going on, or what it came to
 * @property {boolean} failed whether the line says what went wrong
 */

/**
 * @typedef {object} History
 * @property {string} span from when to when the figures are
 * @property {string} newest the last moment that was kept
 * @property {import("./cards.js").Card[]} cards
 * @property {string} empty why there is nothing to show; blank when there is
 * @property {string} whole label of the button that ends the choice of two moments; blank without one
 * @property {Moments?} moments what the attribution can be between
 * @property {Fill} [fill] the button that fills past days
 * @property {string[]} [faults] what went wrong
 * @property {boolean} busy whether the history is being read for another account or span
 * @property {Record<string, string>} words
 */

// While a cell is not edited JupyterLab takes arrows and Enter for its own.
const keepKey = (/** @type {KeyboardEvent} */ event) => event.stopPropagation();

/** @type {Fill} */
const NO_FILL = { label: "", busy: false, line: "", failed: false };

export default panel((el, act) => {
  el.classList.add("kis-history-head");
  const span = h("b.kis-history-between");
  const newest = h("span.kis-history-newest");
  const loading = h("span.kis-note", { hidden: true });
  const whole = h("button", { type: "button", hidden: true, onclick: () => act("whole") });
  const faults = h("div.kis-error", { role: "alert", hidden: true });
  const empty = h("div.kis-empty", { hidden: true });
  const cards = new Cards();
  const line = h("div.kis-history-line", { role: "status" }, span, newest, loading);
  const between = () => act("between", [begin.value, end.value]);
  const begin = h("select", { onchange: between });
  const end = h("select", { onchange: between });
  const moments = h(
    "div.kis-history-moments",
    { onkeydown: keepKey },
    begin,
    h("span", { "aria-hidden": "true" }, "~"),
    end,
  );
  const fill = h("button.kis-history-fill", { type: "button", onclick: () => act("fill") });
  const filling = h("span.kis-history-filling");
  const past = h(
    "div.kis-history-past",
    { onkeydown: keepKey },
    fill,
    h("span", { role: "status" }, filling),
  );
  el.append(h("div.kis-line", line, moments, whole), past, faults, cards.el, empty);
  let listed = "";

  return {
    update(all) {
      const parts = /** @type {History} */ (all);
      if (!parts.words) return;
      setText(span, parts.span);
      setText(newest, parts.newest);
      setText(loading, parts.busy ? parts.words.history_loading : "");
      loading.hidden = !parts.busy;
      setText(whole, parts.whole);
      whole.hidden = !parts.whole;
      moments.hidden = !parts.moments;
      if (parts.moments) {
        const { options } = parts.moments;
        const now = JSON.stringify(options);
        if (now !== listed)
          for (const select of [begin, end])
            select.replaceChildren(
              ...options.map(({ id, text }) => h("option", { value: id }, text)),
            );
        listed = now;
        begin.value = parts.moments.begin;
        end.value = parts.moments.end;
      }
      begin.setAttribute("aria-label", parts.words.history_begin);
      end.setAttribute("aria-label", parts.words.history_end);
      const { label, busy, line: text, failed } = parts.fill ?? NO_FILL;
      past.hidden = !label && !text;
      setText(fill, label);
      fill.hidden = !label;
      // Not `disabled`, which would take the focus away from whoever pressed it.
      fill.setAttribute("aria-disabled", String(busy));
      setText(filling, text);
      filling.classList.toggle("kis-history-failed", failed);
      const said = parts.faults ?? [];
      faults.hidden = !said.length;
      // An unchanged alert is not announced again.
      if (said.join("") !== faults.textContent)
        faults.replaceChildren(...said.map((one) => h("div", one)));
      setText(empty, parts.empty);
      empty.hidden = !parts.empty;
      cards.el.hidden = Boolean(parts.empty);
      cards.update(parts.cards, parts.words.history);
      const tab = el.closest(".kis-history");
      tab?.classList.toggle("kis-history-waiting", parts.busy);
      tab?.setAttribute("aria-busy", String(parts.busy));
    },
  };
});
