// The sentences and cards of the History tab. It also greys the tab while what is shown is not what is
// chosen.

import { h, setText } from "../shared/elements.js";
import { Cards } from "./cards.js";
import { panel } from "./panel.js";

/**
 * @typedef {object} History
 * @property {string} span from when to when the figures are
 * @property {string} newest the last moment that was kept
 * @property {import("./cards.js").Card[]} cards
 * @property {string} empty why there is nothing to show; blank when there is
 * @property {string} whole label of the button that ends the choice of two moments; blank without one
 * @property {string[]} [faults] what went wrong
 * @property {boolean} busy whether the history is being read for another account or span
 * @property {Record<string, string>} words
 */

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
  el.append(h("div.kis-line", line, whole), faults, cards.el, empty);

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
