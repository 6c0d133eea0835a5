// The cards of figures at the top of the dashboard.

import { h } from "../shared/elements.js";

/**
 * @typedef {object} Card
 * @property {string} key
 * @property {string} label
 * @property {string} value
 * @property {string} [unit]
 * @property {string} [tone] "up", "down" or "flat"
 * @property {boolean} [warning] whether it is a warning
 * @property {{width: string, now: string, full: boolean}} [bar]
 * @property {{text: string, tone: string, title: string} | null} [change] since the pull before
 * @property {{label: string, value: string, tone?: string}[]} [sub] lines below the figure
 */

/** @param {{tone?: string} | null | undefined} part */
function toneClass(part) {
  return part?.tone ? `kis-${part.tone}` : "";
}

/** @param {Card} card */
function meter({ label, value, bar }) {
  if (!bar) return null;
  return h(
    "div.kis-bar",
    {
      role: "meter",
      "aria-label": label,
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-valuenow": bar.now,
      "aria-valuetext": value,
    },
    h("div", {
      style: `width:${bar.width}`,
      class: `kis-bar-fill ${bar.full ? "kis-warning" : ""}`,
    }),
  );
}

/** @param {Card} card */
function changeLine({ key, change }) {
  if (key === "excess") return null;
  // Its line is there before there is a change to show: the page below must not move at each pull.
  return h(
    "div",
    { class: `kis-change ${toneClass(change)}`, title: change?.title ?? "" },
    change?.text ?? "\u00a0",
  );
}

/** @param {Card} card */
export function drawCard(card) {
  const lines = (card.sub ?? []).map((line) =>
    h(
      "div.kis-sub",
      h("span", line.label),
      h("span", { class: `kis-figure ${toneClass(line)}` }, line.value),
    ),
  );
  return h(
    "div",
    {
      class: `kis-card kis-card-${card.key} ${card.warning ? "kis-warning" : ""}`,
      role: "group",
      "aria-label": card.label,
    },
    h("div.kis-label", card.label),
    h(
      "div",
      { class: `kis-value ${toneClass(card)}` },
      card.value,
      card.unit && h("small", card.unit),
    ),
    meter(card),
    changeLine(card),
    ...lines,
  );
}

/** Draws only the cards that changed: the page around them is large, and is laid out for each. */
export class Cards {
  constructor() {
    this.el = h("div.kis-cards", { role: "group" });
    /** @type {string[]} */
    this.drawn = [];
  }

  /**
   * @param {Card[]} cards
   * @param {string} label of the group
   */
  update(cards, label) {
    const contents = cards.map((card) => JSON.stringify(card));
    for (const [at, card] of cards.entries()) {
      if (this.drawn[at] === contents[at]) continue;
      const old = this.el.children[at];
      if (old) old.replaceWith(drawCard(card));
      else this.el.append(drawCard(card));
    }
    this.drawn = contents;
    this.el.setAttribute("aria-label", label);
  }
}
