// How far a pull is: a bar with the page it reads, and a button that cancels it.

import { h, setText } from "../shared/elements.js";
import { progressText } from "./ages.js";

/**
 * @typedef {object} Busy
 * @property {string} name of the bar, for screen readers
 * @property {string} text
 * @property {number} page the pages read so far
 * @property {number} total pages, 0 when nobody knows
 * @property {{text: string, until: number} | null} token
 * @property {string} cancel the button's label
 */

/**
 * The part of the bar that is filled, as CSS.
 * @param {{page: number, total: number}} busy
 */
export function barWidth({ page, total }) {
  return total ? `${Math.min(100, (100 * page) / total)}%` : "100%";
}

export class Progress {
  /** @param {() => void} onCancel */
  constructor(onCancel) {
    this.bar = h("div.kis-progress-bar");
    this.text = h("span");
    this.el = h("div.kis-progress", { role: "progressbar", hidden: true }, this.bar, this.text);
    this.cancel = h("button.kis-cancel", { type: "button", hidden: true, onclick: onCancel });
    /** @type {Busy | null} */
    this.busy = null;
  }

  /**
   * Renew the text: seconds may be counted down in it.
   * @param {number} now the kernel's clock in seconds
   */
  tick(now) {
    setText(this.text, progressText(this.busy, now));
  }

  /**
   * @param {Busy | null} busy null when no pull is under way
   * @param {number} now
   */
  update(busy, now) {
    this.busy = busy;
    this.el.hidden = this.cancel.hidden = !busy;
    this.tick(now);
    if (!busy) return;
    const { el } = this;
    el.setAttribute("aria-label", busy.name);
    el.setAttribute("aria-valuetext", progressText(busy, now));
    if (busy.total) {
      el.setAttribute("aria-valuemin", "0");
      el.setAttribute("aria-valuemax", String(busy.total));
      el.setAttribute("aria-valuenow", String(busy.page));
    } else for (const end of ["min", "max", "now"]) el.removeAttribute(`aria-value${end}`);
    this.bar.style.width = barWidth(busy);
    this.bar.classList.toggle("kis-unknown", !busy.total);
    setText(this.cancel, busy.cancel);
  }
}
