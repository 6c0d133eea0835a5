// The dashboard's controls are ipywidgets: what the page has to know of them, and what they lack for
// keyboards and screen readers.

// The controls that choose the view, in the order in which the kernel names a view's options.
const VIEW_CONTROLS = [".kis-account", ".kis-mgna-dvsn", ".kis-excc-stat-cd"];

// Controls may be drawn later than the panel that looks after them.
const MOST_TRIES = 50;
const RETRY_MS = 200;
const REDRAWN_MS = 300;

const STEPS = /** @type {Record<string, number | undefined>} */ ({
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
});

/**
 * Which option of each control of the view is chosen, -1 without one. Read from the page: a click
 * shows there before the kernel has it.
 * @param {Element} root the dashboard
 * @returns {number[]}
 */
export function chosenView(root) {
  return VIEW_CONTROLS.map((selector) => {
    const control = root.querySelector(selector);
    const select = control?.querySelector("select");
    if (select) return select.selectedIndex;
    return [...(control?.querySelectorAll("input") ?? [])].findIndex((one) => one.checked);
  });
}

/**
 * Whether another view is chosen than the one on show.
 * @param {number[] | null | undefined} shown null without controls
 * @param {number[]} chosen
 */
export function isOtherView(shown, chosen) {
  return (shown ?? []).some((at, i) => at >= 0 && chosen[i] >= 0 && chosen[i] !== at);
}

/**
 * The option that an arrow key goes to, from the last back to the first.
 * @param {number} at
 * @param {number} step
 * @param {number} count
 */
export function nextOption(at, step, count) {
  return (at + step + count) % count;
}

/**
 * Move among radio buttons with the arrow keys: the notebook takes the keys before the browser can
 * act on them.
 * @param {KeyboardEvent} event
 */
export function moveByArrow(event) {
  const step = STEPS[event.key];
  const target = event.target;
  if (!step || !(target instanceof HTMLInputElement) || target.type !== "radio") return;
  const box = target.closest(".widget-radio-box");
  if (!box) return;
  /** @type {HTMLInputElement[]} */
  const all = [...box.querySelectorAll(/** @type {"input"} */ ("input:enabled"))];
  const next = all[nextOption(all.indexOf(target), step, all.length)];
  event.preventDefault();
  event.stopPropagation();
  next.focus();
  next.click();
}

/**
 * Make radio buttons one group, for screen readers; a common name makes them one stop of the Tab
 * key.
 * @param {Element} radios
 */
function makeGroup(radios) {
  radios.setAttribute("role", "radiogroup");
  radios.id ||= `kis-${Math.random().toString(36).slice(2)}`;
  for (const one of radios.querySelectorAll("input")) one.name = radios.id;
}

/**
 * Give each control its name, for screen readers.
 * @param {HTMLElement} root the dashboard
 * @param {Record<string, string>} names by CSS class
 * @returns {boolean} whether all of them are there
 */
function nameControls(root, names) {
  let complete = true;
  for (const [selector, label] of Object.entries(names)) {
    if (selector === "dashboard") continue;
    const controls = root.querySelectorAll(`.${selector}`);
    if (!controls.length) complete = false;
    for (const control of controls) {
      const radios = control.querySelector(".widget-radio-box");
      if (radios) makeGroup(radios);
      const named = radios ?? control.querySelector("select");
      named?.setAttribute("aria-label", label);
      if (!named) complete = false;
    }
  }
  return complete;
}

/** Names the dashboard and its controls, again when language or colours change. */
export class ControlNames {
  constructor() {
    this.tries = 0;
    /** What is to be named, as `data-named` has it once it is. */
    this.wanted = "";
    /** @type {number | undefined} */
    this.retry = undefined;
  }

  /**
   * @param {HTMLElement} root
   * @param {{names?: Record<string, string>, lang: string, colors: string}} parts
   */
  apply(root, parts) {
    const { names, lang, colors } = parts;
    // The part of the page that comes later brings more names.
    const done = lang + colors + Object.keys(names ?? {}).length;
    if (!names || root.dataset.named === done) return;
    if (this.wanted !== done) this.tries = 0;
    this.wanted = done;
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", names.dashboard);
    root.dataset.colors = colors;
    // Keys pressed in here are not the notebook's commands.
    root.dataset.lmSuppressShortcuts = "true";
    root.lang = lang;
    // An earlier language must not come back with its next try.
    clearTimeout(this.retry);
    if (!nameControls(root, names) && this.tries++ < MOST_TRIES) {
      this.retry = window.setTimeout(() => this.apply(root, parts), RETRY_MS);
      return;
    }
    root.dataset.named = done;
    // In another language ipywidgets makes new buttons, perhaps after this.
    setTimeout(() => {
      for (const radios of root.querySelectorAll(".widget-radio-box")) makeGroup(radios);
    }, REDRAWN_MS);
  }
}
