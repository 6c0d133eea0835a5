// Selecting by a rectangle that is drawn with the mouse.

import { h } from "../shared/elements.js";

/** @typedef {[number, number]} Point */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

// Pixels that the mouse moves before it is a drag and no click.
const THRESHOLD = 6;

/**
 * Whether the mouse went far enough for a drag.
 * @param {Point} from
 * @param {Point} to
 */
export function isDrag(from, to) {
  return Math.hypot(to[0] - from[0], to[1] - from[1]) >= THRESHOLD;
}

/**
 * The rectangle between two corners, as CSS.
 * @param {Point} from
 * @param {Point} to
 */
export function rectangle(from, to) {
  return {
    left: `${Math.min(from[0], to[0])}px`,
    top: `${Math.min(from[1], to[1])}px`,
    width: `${Math.abs(from[0] - to[0])}px`,
    height: `${Math.abs(from[1] - to[1])}px`,
  };
}

/**
 * Whether two boxes overlap or touch.
 * @param {Box} a
 * @param {Box} b
 */
export function overlaps(a, b) {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

/**
 * Watch a chart's frame for drags.
 * @param {HTMLElement} frame
 * @param {AbortSignal} signal ends it
 * @param {() => boolean} isEnabled asked when a mouse button goes down
 * @param {(area: DOMRect) => void} onBrush gets the rectangle in the window's coordinates
 * @returns {() => boolean} whether the last mouse button that went down began a drag: the click that
 *   the browser reports at its end is none
 */
export function watchBrush(frame, signal, isEnabled, onBrush) {
  let dragged = false;
  /** @type {Point | null} */
  let from = null;
  /** @type {HTMLElement | null} */
  let box = null;

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  const point = (event) => {
    const { left, top } = frame.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  frame.addEventListener(
    "pointerdown",
    (event) => {
      dragged = false;
      const begins = isEnabled() && event.button === 0 && event.pointerType === "mouse";
      from = begins ? point(event) : null;
    },
    { signal },
  );
  addEventListener(
    "pointermove",
    (event) => {
      if (!from) return;
      const to = point(event);
      if (!box) {
        if (!isDrag(from, to)) return;
        dragged = true;
        box = h("div.kis-chart-brush");
        frame.append(box);
      }
      Object.assign(box.style, rectangle(from, to));
      event.preventDefault();
    },
    { signal },
  );
  addEventListener(
    "pointerup",
    () => {
      if (box) {
        const area = box.getBoundingClientRect();
        box.remove();
        onBrush(area);
      }
      from = box = null;
    },
    { signal },
  );
  return () => dragged;
}
