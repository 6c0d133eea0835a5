// The Risk tab's sliders, and the figures that they move.

import { h, setText } from "../shared/elements.js";
import {
  beginShift,
  formatLevel,
  formatMove,
  formatWon,
  pnlAt,
  sameShift,
  toneOf,
} from "./risk_grid.js";

/**
 * @typedef {import("./risk_grid.js").Grid} Grid
 * @typedef {import("./risk_grid.js").Shift} Shift
 */

// While a cell is not edited JupyterLab takes arrows, Home and End for its own.
const keepKeys = (/** @type {KeyboardEvent} */ event) => {
  if (event.key !== "Escape") event.stopPropagation();
};

/** A figure that the sliders move. */
function makeFigure() {
  const label = h("div.kis-label");
  const value = h("span");
  const unit = h("small");
  const note = h("div.kis-change", { hidden: true });
  const card = h(
    "div.kis-card.kis-risk-figure",
    { role: "group" },
    label,
    h("div.kis-value", value, unit),
    note,
  );
  return { card, label, value, unit, note };
}

export class RiskSliders {
  /**
   * @param {(spot: number, vol: number) => void} onMove called at each move, while dragging too
   * @param {(spot: number, vol: number) => void} onRest called when a slider is let go
   */
  constructor(onMove, onRest) {
    this.onMove = onMove;
    this.onRest = onRest;
    /** @type {Grid | null} */
    this.grid = null;
    /** @type {Shift} */
    this.shift = { spot: 0, vol: 0 };
    /** @type {Record<string, string>} */
    this.words = {};
    this.spot = this.makeSlider("spot");
    this.vol = this.makeSlider("vol");
    this.reset = h("button", { type: "button", onclick: () => this.unmove() });
    this.sliders = h(
      "div.kis-risk-sliders",
      { onkeydown: keepKeys },
      this.spot.row,
      this.vol.row,
      this.reset,
    );
    this.figures = h("div.kis-cards.kis-risk-figures", { role: "group" });
    /** @type {ReturnType<typeof makeFigure>[]} */
    this.made = [];
    this.el = h("div.kis-risk-moves", { hidden: true }, this.sliders, this.figures);
  }

  /** @param {"spot" | "vol"} axis */
  makeSlider(axis) {
    const name = h("span.kis-risk-name");
    const input = h("input", {
      type: "range",
      min: "0",
      step: "1",
      oninput: () => this.move(axis, Number(input.value)),
      onchange: () => this.rest(),
    });
    const text = h("span.kis-risk-move");
    return {
      row: h(`label.kis-risk-slider.kis-risk-${axis}`, name, input, text),
      name,
      input,
      text,
    };
  }

  /** The moves that are chosen, relative. */
  get moves() {
    const { grid, shift } = this;
    return { spot: grid?.spots[shift.spot] ?? 0, vol: grid?.vols[shift.vol] ?? 0 };
  }

  /**
   * Show other figures; the sliders stay where they are.
   * @param {Grid | null} grid
   * @param {Record<string, string>} words
   */
  update(grid, words) {
    this.words = words;
    this.el.hidden = !grid;
    if (!grid) return;
    this.shift = sameShift(this.grid, this.shift, grid);
    this.grid = grid;
    for (const [axis, slider] of /** @type {const} */ ([
      ["spot", this.spot],
      ["vol", this.vol],
    ])) {
      setText(slider.name, words[axis]);
      slider.input.setAttribute("aria-label", words[axis]);
      slider.input.max = String(grid[`${axis}s`].length - 1);
    }
    setText(this.reset, words.reset);
    this.figures.setAttribute("aria-label", words.risk);
    const count = grid.moments.length + 1;
    if (this.made.length !== count) {
      this.made = Array.from({ length: count }, makeFigure);
      this.figures.replaceChildren(...this.made.map(({ card }) => card));
    }
    this.show();
  }

  /**
   * @param {"spot" | "vol"} axis
   * @param {number} place
   */
  move(axis, place) {
    this.shift = { ...this.shift, [axis]: place };
    this.show();
    this.onMove(this.moves.spot, this.moves.vol);
  }

  rest() {
    this.onRest(this.moves.spot, this.moves.vol);
  }

  unmove() {
    if (!this.grid) return;
    this.shift = beginShift(this.grid);
    this.show();
    this.onMove(this.moves.spot, this.moves.vol);
    this.rest();
  }

  show() {
    const { grid, shift, words } = this;
    if (!grid) return;
    const { spot, vol } = this.moves;
    const level = grid.level === null ? "" : ` · ${formatLevel(grid.level * (1 + spot))}`;
    const texts = { spot: `${formatMove(spot)}${level}`, vol: formatMove(vol) };
    for (const axis of /** @type {const} */ (["spot", "vol"])) {
      const { input, text } = this[axis];
      if (input.value !== String(shift[axis])) input.value = String(shift[axis]);
      input.setAttribute("aria-valuetext", texts[axis]);
      setText(text, texts[axis]);
    }
    // Not `disabled`, which would take the focus away from whoever pressed it.
    const begin = beginShift(grid);
    const unmoved = begin.spot === shift.spot && begin.vol === shift.vol;
    this.reset.setAttribute("aria-disabled", String(unmoved));
    for (const [at, moment] of grid.moments.entries())
      this.fill(this.made[at], moment.label, pnlAt(grid, moment, shift), formatWon);
    const now = grid.moments.length ? pnlAt(grid, grid.moments[0], shift) : null;
    const held = grid.excess_margin;
    const left = held === null || now === null ? null : held + now;
    const last = this.made[grid.moments.length];
    const plain = (/** @type {number | null} */ won) =>
      won === null ? words.excess_margin_unknown : Math.round(won).toLocaleString("en-US");
    this.fill(last, words.excess_margin, left, plain);
    last.value.className = left === null ? "kis-risk-unknown" : "";
    const notes = left === null ? [] : (grid.excess_margin_notes ?? []);
    last.note.hidden = !notes.length;
    setText(last.note, notes.join(" · "));
    last.card.classList.toggle("kis-warning", left !== null && left < 0);
  }

  /**
   * @param {ReturnType<typeof makeFigure>} figure
   * @param {string} label
   * @param {number | null} won
   * @param {(won: number | null) => string} format
   */
  fill({ card, label: name, value, unit }, label, won, format) {
    if (card.getAttribute("aria-label") !== label) card.setAttribute("aria-label", label);
    setText(name, label);
    setText(value, format(won));
    setText(unit, won === null ? "" : this.words.won);
    const tone = toneOf(won);
    if (value.className !== tone) value.className = tone;
  }
}
