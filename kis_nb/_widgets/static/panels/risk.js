// The head of the Risk tab: the answers, what they lack, what is chosen, and the sliders. It also
// greys the tab while its figures are of another balance than the one on display.

import { h, setText } from "../shared/elements.js";
import { panel } from "./panel.js";
import { RiskSliders } from "./risk_sliders.js";

/**
 * @typedef {{chosen: string, options: {id: string, text: string}[]}} List
 */

/**
 * @typedef {object} Risk
 * @property {string} of account and moment of the balance
 * @property {string[]} answers
 * @property {string[]} lacks what is not known, and what is left out
 * @property {Record<string, List> | null} choices "underlying", "expiry" and "at"
 * @property {import("./risk_grid.js").Grid | null} grid
 * @property {{spot: number, vol: number, rows: string[][]} | null} losers positions that lose at a move
 * @property {string} empty why there is nothing to show; blank when there is
 * @property {string[]} [faults] what went wrong
 * @property {string} busy key of the word for what is under way; blank when nothing is
 * @property {boolean} old whether the figures are of an earlier balance
 * @property {Record<string, string>} words
 */

const keepKey = (/** @type {KeyboardEvent} */ event) => event.stopPropagation();
const CHOICES = ["underlying", "expiry", "at"];

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
  const empty = h("div.kis-empty", { hidden: true });
  const lists = CHOICES.map((name) => {
    const label = h("span");
    const select = h("select", { onchange: () => act(name, select.value) });
    return { name, label, select, row: h("label", label, select), listed: "" };
  });
  const choices = h(
    "div.kis-risk-choices",
    { onkeydown: keepKey },
    lists.map(({ row }) => row),
  );
  const losersTitle = h("h3.kis-title");
  const losersBody = h("tbody");
  const losersNone = h("p.kis-risk-how");
  const losers = h(
    "div.kis-risk-losers",
    { hidden: true },
    losersTitle,
    h("table", losersBody),
    losersNone,
  );
  const sliders = new RiskSliders(showMove, (spot, vol) => act("moved", [spot, vol]));
  el.append(
    answers,
    h("div.kis-line.kis-risk-line", { role: "status" }, of, busy),
    faults,
    lacks,
    choices,
    sliders.el,
    losers,
    empty,
  );
  /** @type {Risk | null} */
  let shown = null;

  /**
   * Every chart of this tab follows the sliders by itself.
   * @param {number} spot
   * @param {number} vol
   */
  function showMove(spot, vol) {
    const detail = { risk_spot: spot, risk_vol: vol };
    for (const frame of el.closest(".kis-risk")?.querySelectorAll(".kis-chart-frame") ?? [])
      frame.dispatchEvent(new CustomEvent("kis-set-params", { detail }));
    drawLosers();
  }

  function drawLosers() {
    const found = shown?.losers;
    const { spot, vol } = sliders.moves;
    // Nothing is lost where nothing moves.
    losers.hidden = !found || !shown?.grid || (!spot && !vol);
    if (!found || !shown || losers.hidden) return;
    // Until the kernel has answered they are of an earlier move.
    losers.classList.toggle("kis-risk-late", found.spot !== spot || found.vol !== vol);
    setText(losersTitle, shown.words.worst);
    setText(losersNone, found.rows.length ? "" : shown.words.none_lose);
    losersBody.replaceChildren(
      ...found.rows.map(([name, quantity, pnl]) =>
        h(
          "tr",
          h("th", { scope: "row" }, name),
          h("td", quantity),
          h("td.kis-number.kis-down", pnl),
        ),
      ),
    );
  }

  return {
    update(all, changed) {
      const parts = /** @type {Risk} */ (all);
      if (!parts.words) return;
      shown = parts;
      const { words } = parts;
      setLines(answers, "p", parts.answers);
      setText(of, parts.of);
      setText(busy, words[parts.busy] ?? "");
      setLines(faults, "div", parts.faults ?? []);
      setLines(lacks, "li", parts.lacks);
      setText(empty, parts.empty);
      empty.hidden = !parts.empty;
      choices.hidden = !parts.choices;
      for (const list of lists) {
        const { chosen = "", options = [] } = parts.choices?.[list.name] ?? {};
        const now = JSON.stringify(options);
        if (now !== list.listed)
          list.select.replaceChildren(
            ...options.map(({ id, text }) => h("option", { value: id }, text)),
          );
        list.listed = now;
        list.select.value = chosen;
        setText(list.label, words[list.name]);
        // Of one underlying there is nothing to choose.
        list.row.hidden = options.length < (list.name === "underlying" ? 2 : 1);
      }
      if (changed.has("grid") || changed.has("words")) sliders.update(parts.grid, words);
      const { spot, vol } = sliders.moves;
      if (changed.has("grid") && parts.grid && (spot || vol)) act("moved", [spot, vol]);
      drawLosers();
      const tab = el.closest(".kis-risk");
      tab?.classList.toggle("kis-risk-old", parts.old);
      tab?.setAttribute("aria-busy", String(Boolean(parts.busy)));
    },
  };
});
