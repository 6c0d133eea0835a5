// The head of the Risk tab: the answers, what they lack, what is chosen, and the sliders. It also
// greys the tab while its figures are of another balance or choice than the ones on display.

import { h, setText } from "../shared/elements.js";
import { panel } from "./panel.js";
import { RiskChoices } from "./risk_choices.js";
import { RiskLosers } from "./risk_losers.js";
import { RiskSliders } from "./risk_sliders.js";

/**
 * @typedef {object} Risk
 * @property {string} of account and moment of the balance
 * @property {string[]} answers
 * @property {string[]} lacks what is not known, and what is left out
 * @property {string[]} [remarks] what is of another moment, and other things that change no figure
 * @property {Record<string, import("./risk_choices.js").List> | null} choices "underlying",
 *   "expiry" and "at"
 * @property {import("./risk_grid.js").Grid | null} grid
 * @property {import("./risk_losers.js").Losers | null} losers positions that lose at a move
 * @property {string} empty why there is nothing to show; blank when there is
 * @property {string[]} [faults] what went wrong
 * @property {string} busy key of the word for what is under way; blank when nothing is
 * @property {boolean} old whether the figures are of an earlier balance
 * @property {Record<string, string>} words
 */

const CHARTS = 3;

/**
 * Set an element's children to lines of text, if they are others: an unchanged alert is not
 * announced again.
 * @param {HTMLElement} el
 * @param {"p" | "li" | "div"} tag
 * @param {string[]} lines
 */
function setLines(el, tag, lines) {
  el.hidden = !lines.length;
  const same =
    el.children.length === lines.length &&
    lines.every((line, at) => el.children[at].textContent === line);
  if (!same) el.replaceChildren(...lines.map((line) => h(tag, line)));
}

export default panel((el, act) => {
  el.classList.add("kis-risk-head");
  const answers = h("div.kis-risk-answers");
  const of = h("b.kis-risk-of");
  const busy = h("span.kis-risk-busy");
  const faults = h("div.kis-error", { role: "alert", hidden: true });
  const lacks = h("ul.kis-risk-lacks", { hidden: true });
  const remarks = h("div.kis-risk-remarks", { hidden: true });
  const empty = h("div.kis-empty", { hidden: true });
  const choices = new RiskChoices(act, mark);
  const losers = new RiskLosers((value) => act("moved", value));
  const sliders = new RiskSliders(showMove, () => losers.ask(asked()));
  el.append(
    answers,
    h("div.kis-line.kis-risk-line", { role: "status" }, of, busy),
    faults,
    lacks,
    remarks,
    choices.el,
    sliders.el,
    losers.el,
    empty,
  );
  /** @type {Risk | null} */
  let shown = null;
  let gone = false;
  /** The move that a chart was told of last. @type {WeakMap<Element, string>} */
  const told = new WeakMap();

  /** What is shown, by which the positions that lose are asked for. */
  function asked() {
    return {
      ...sliders.moves,
      key: shown?.grid?.key,
      underlying: shown?.choices?.underlying?.chosen,
    };
  }

  function showMove() {
    tellCharts();
    drawLosers();
  }

  /** Every chart of this tab follows the sliders by itself. */
  function tellCharts() {
    const frames = el.closest(".kis-risk")?.querySelectorAll(".kis-chart-frame") ?? [];
    const { spot, vol } = sliders.moves;
    const detail = { risk_spot: spot, risk_vol: vol };
    for (const frame of frames) {
      if (!shown?.grid || told.get(frame) === `${spot} ${vol}`) continue;
      told.set(frame, `${spot} ${vol}`);
      frame.dispatchEvent(new CustomEvent("kis-set-params", { detail }));
    }
    return frames.length;
  }

  function drawLosers() {
    if (shown) losers.draw(shown.grid && asked(), shown.words);
  }

  /** Say what is under way, and grey what is not of the balance and choice on display. */
  function mark() {
    const tab = el.closest(".kis-risk");
    if (!shown || !tab) return;
    const { words } = shown;
    const waits = !gone && choices.differs;
    setText(busy, gone ? words.gone : (words[shown.busy || (waits ? "estimating" : "")] ?? ""));
    busy.classList.toggle("kis-risk-gone", gone);
    tab.classList.toggle("kis-risk-old", shown.old || gone);
    tab.classList.toggle("kis-risk-other", choices.differs);
    tab.setAttribute("aria-busy", String(!gone && (Boolean(shown.busy) || waits)));
  }

  // A view is drawn before it is on the page, and its charts may come after it.
  const late = new MutationObserver(() => {
    if (tellCharts() >= CHARTS) late.disconnect();
  });
  const placed = new ResizeObserver(() => {
    const tab = el.closest(".kis-risk");
    if (!tab) return;
    placed.disconnect();
    mark();
    if (tellCharts() < CHARTS) late.observe(tab, { childList: true, subtree: true });
  });
  placed.observe(el);

  return {
    update(all, changed) {
      const parts = /** @type {Risk} */ (all);
      if (!parts.words) return;
      shown = parts;
      gone = false;
      const { words } = parts;
      setLines(answers, "p", parts.answers);
      setText(of, parts.of);
      setLines(faults, "div", parts.faults ?? []);
      setLines(lacks, "li", parts.lacks);
      setLines(remarks, "div", parts.remarks ?? []);
      setText(empty, parts.empty);
      empty.hidden = !parts.empty;
      choices.update(parts.choices, words, changed.has("choices"));
      if (changed.has("grid") || changed.has("words")) sliders.update(parts.grid, words);
      if (changed.has("losers")) losers.take(parts.losers, asked());
      if (changed.has("grid") && parts.grid) losers.ask(asked());
      showMove();
      mark();
    },
    gone() {
      gone = true;
      mark();
    },
    remove() {
      placed.disconnect();
      late.disconnect();
      choices.remove();
    },
  };
});
