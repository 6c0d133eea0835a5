// One tooltip for the page, in the theme's colours.

import { h } from "../shared/elements.js";

const ID = "kis-tip";
const GAP = 14;

/**
 * Where the tooltip was shown last.
 * @type {{frame: Element | null, x: number, y: number} | null}
 */
let shownAt = null;

/**
 * The tooltip's lines, name and figure; those without a figure are left out.
 * @param {unknown} value what Vega hands over: an object of texts, or one text
 * @returns {[string, string][]}
 */
export function tooltipLines(value) {
  if (value == null || value === "") return [];
  /** @type {[string, unknown][]} */
  const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
  // Vega writes a null as a text.
  return lines
    .filter(([, text]) => text != null && text !== "" && text !== "null")
    .map(([name, text]) => [name, String(text)]);
}

/**
 * The left (or upper) edge of a box beside the mouse: after it, or before it where the window ends.
 * @param {number} mouse
 * @param {number} size of the box
 * @param {number} end of the window
 */
export function besideMouse(mouse, size, end) {
  return Math.max(mouse + GAP + size > end ? mouse - GAP - size : mouse + GAP, 0);
}

/**
 * Vega's tooltip handler.
 * @param {unknown} _handler
 * @param {MouseEvent} event
 * @param {unknown} _item
 * @param {unknown} value
 */
export function showTooltip(_handler, event, _item, value) {
  const lines = tooltipLines(value);
  if (!lines.length) return hideTooltip();
  let box = document.getElementById(ID);
  if (!box) {
    box = h("div", { id: ID });
    document.body.append(box);
  }
  box.replaceChildren(...lines.flatMap(([name, text]) => [h("span", name), h("b", text)]));
  const target = event.target instanceof Element ? event.target : null;
  shownAt = {
    frame: target?.closest(".kis-chart-frame") ?? null,
    x: event.clientX,
    y: event.clientY,
  };
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${besideMouse(event.clientX, width, innerWidth)}px`;
  box.style.top = `${besideMouse(event.clientY, height, innerHeight)}px`;
}

export function hideTooltip() {
  document.getElementById(ID)?.remove();
}

/**
 * New rows may say something else of the mark under a mouse that rests: the tooltip goes, and comes
 * back with what is there now.
 * @param {Element} frame the chart that has new rows
 */
export function renewTooltip(frame) {
  if (!document.getElementById(ID) || shownAt?.frame !== frame) return;
  hideTooltip();
  const { x, y } = shownAt;
  const under = document.elementFromPoint(x, y);
  if (!frame.contains(under)) return;
  under?.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
}
