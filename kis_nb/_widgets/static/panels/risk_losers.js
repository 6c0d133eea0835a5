// The positions that lose at the move that is shown, which the kernel works out when a slider rests.

import { h, setText } from "../shared/elements.js";

/**
 * What positions are asked for, and listed, of.
 * @typedef {object} Asked
 * @property {unknown} [key] of the estimate
 * @property {string | null} [underlying]
 * @property {number} spot
 * @property {number} vol
 */

/** @typedef {Asked & {rows: string[][]}} Losers */

/**
 * Whether a list is of what is shown. A part that either side does not know says nothing.
 * @param {Losers | null} found
 * @param {Asked} shown
 */
export function isOf(found, shown) {
  if (!found) return false;
  const agree = (/** @type {unknown} */ one, /** @type {unknown} */ other) =>
    one == null || other == null || one === other;
  return (
    found.spot === shown.spot &&
    found.vol === shown.vol &&
    agree(found.key, shown.key) &&
    agree(found.underlying, shown.underlying)
  );
}

export class RiskLosers {
  /** @param {(value: unknown) => void} ask sends a request to the kernel */
  constructor(ask) {
    this.send = ask;
    /** The last list that was of what this view shows: another view's may come after it. @type {Losers | null} */
    this.found = null;
    this.title = h("h3.kis-title");
    this.body = h("tbody");
    this.none = h("p.kis-risk-how");
    this.el = h(
      "div.kis-risk-losers",
      { hidden: true },
      this.title,
      h("table", this.body),
      this.none,
    );
  }

  /**
   * Ask for the positions, where anything moves.
   * @param {Asked} shown
   */
  ask({ spot, vol, key }) {
    if (spot || vol) this.send(key == null ? [spot, vol] : [spot, vol, key]);
  }

  /**
   * Take an answer, which may be to another view's request or to an earlier one: ask again then.
   * @param {Losers | null} answer
   * @param {Asked} shown
   */
  take(answer, shown) {
    if (!answer || isOf(answer, shown)) this.found = answer;
    else if (!isOf(this.found, shown)) this.ask(shown);
  }

  /**
   * @param {Asked | null} shown null when there is nothing to show
   * @param {Record<string, string>} words
   */
  draw(shown, words) {
    const { found } = this;
    // Nothing is lost where nothing moves.
    this.el.hidden = !found || !shown || (!shown.spot && !shown.vol);
    if (!found || !shown || this.el.hidden) return;
    this.el.classList.toggle("kis-risk-late", !isOf(found, shown));
    setText(this.title, words.worst);
    setText(this.none, found.rows.length ? "" : words.none_lose);
    this.body.replaceChildren(
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
}
