// Hides the output that a notebook keeps for a widget (`saved_output.py`) while the widget is drawn.

import { h } from "./elements.js";
import { pageWide } from "./page.js";

/** How many places of the page draw each widget, and the rule that hides its saved output. */
const DRAWN = pageWide(
  "saved",
  () => /** @type {Map<string, {places: number, rule: HTMLElement}>} */ (new Map()),
);

/**
 * @param {string} key of the saved output; blank when nothing is saved
 * @returns {() => void} to be called when the place is gone
 */
export function hideSaved(key) {
  if (!key) return () => {};
  let entry = DRAWN.get(key);
  if (!entry) {
    // A rule and not a style of the element, which is replaced when there is a newer picture.
    const own = `.kis-saved-${key}`;
    const rule = h("style", {}, `${own},.jp-OutputArea-child:has(${own}){display:none}`);
    document.head.append(rule);
    entry = { places: 0, rule };
    DRAWN.set(key, entry);
  }
  const held = entry;
  held.places += 1;
  let over = false;
  return () => {
    if (over) return;
    over = true;
    held.places -= 1;
    if (held.places) return;
    held.rule.remove();
    DRAWN.delete(key);
  };
}
