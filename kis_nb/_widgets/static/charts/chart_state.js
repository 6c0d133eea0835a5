// What a chart shows, without the page: kept once for all places that show the same ChartView.

import { isOvertaken } from "../shared/selection.js";

/**
 * Rows by the name of their dataset.
 * @typedef {Record<string, Record<string, any>[]>} Rows
 */

/**
 * Those of the values whose parameter a spec has: Vega refuses the others.
 * @param {Record<string, any> | null} spec
 * @param {Record<string, unknown>} params values by name
 * @returns {[name: string, value: unknown][]}
 */
export function knownParams(spec, params) {
  const names = (spec?.params ?? []).map((/** @type {{name: string}} */ { name }) => name);
  return Object.entries(params).filter(([name]) => names.includes(name));
}

export class ChartState {
  constructor() {
    /** Number of the last message that was taken; the kernel counts them up. */
    this.seq = -1;
    /** Number of the message that brought the spec. */
    this.drawn = -1;
    /** @type {Record<string, any> | null} */
    this.spec = null;
    /** @type {Rows} */
    this.rows = {};
    /** The variants of the rows that this page holds, by name. @type {Record<string, Rows>} */
    this.variants = {};
    /** The variant that `rows` were taken from last. @type {Rows | null} */
    this.current = null;
    /** Name of the variant that the kernel shows. */
    this.shown = "";
    /** Name of the variant that was asked for here before the kernel shows it. @type {string | null} */
    this.asked = null;
    /** Ids of the selected marks. @type {string[]} */
    this.selected = [];
    /** Number of the last selection made here. */
    this.gesture = 0;
  }

  /**
   * Take one of the kernel's messages about spec and rows; an older one than the last is passed
   * over, and so are rows before the first spec, which comes with all rows of its time.
   * @param {Record<string, any>} message
   * @returns {boolean} whether the places have to be painted
   */
  receive(message) {
    if (message.seq <= this.seq) return false;
    if (message.type !== "draw" && this.seq < 0) return false;
    this.seq = message.seq;
    if (message.type === "draw") {
      this.spec = message.spec;
      this.drawn = message.seq;
      this.selected = message.ids;
      this.rows = this.current = message.rows;
      this.variants = { ...message.variants, [message.shown]: message.rows };
    } else if (message.type === "variants") {
      // A variant that did not change is only named.
      this.variants = Object.fromEntries(
        message.names.map((/** @type {string} */ name) => [
          name,
          message.variants[name] ?? this.variants[name],
        ]),
      );
    } else {
      this.rows = this.current = { ...this.rows, ...message.rows };
      this.variants = { ...this.variants, [this.shown]: this.rows };
    }
    this.shown = message.shown ?? this.shown;
    if (this.asked === this.shown || !this.holds(this.asked)) this.asked = null;
    return this.settle() || message.type !== "variants";
  }

  /**
   * Take the kernel's selection, unless a later one was made here.
   * @param {{ids: string[], page: string | null, number: number}} message
   * @param {string} page this page's id
   * @returns {boolean} whether the places have to be painted
   */
  select(message, page) {
    if (isOvertaken(message, page, this.gesture)) return false;
    this.selected = message.ids;
    return true;
  }

  /**
   * Show a variant that this page holds before the kernel does; with null, or a name that is not
   * held, show what the kernel shows.
   * @param {string | null} name
   * @returns {boolean} whether the places have to be painted
   */
  ask(name) {
    this.asked = this.holds(name) && name !== this.shown ? name : null;
    return this.settle();
  }

  /** @param {string | null} name */
  holds(name) {
    return name !== null && Object.hasOwn(this.variants, name);
  }

  settle() {
    const variant = this.variants[this.asked ?? this.shown];
    if (!variant || variant === this.current) return false;
    this.current = variant;
    this.rows = { ...this.rows, ...variant };
    return true;
  }
}
