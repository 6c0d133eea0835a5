// The lists of the Risk tab: underlying, expiry and moment. The page shows what was drawn for a choice
// as of something else until the kernel has answered.

import { h, setText } from "../shared/elements.js";

/**
 * @typedef {{chosen: string, options: {id: string, text: string}[]}} List
 */

const NAMES = ["underlying", "expiry", "at"];
// How long an answer to another choice may stand before it is taken for the last one: a second view
// of the dashboard may have chosen something else after this one.
const PATIENCE_MS = 2000;

// While a cell is not edited JupyterLab takes letters and arrows for its own.
const keepKey = (/** @type {KeyboardEvent} */ event) => event.stopPropagation();

/** What is chosen here, and what is drawn. */
export class PendingChoices {
  constructor() {
    /** @type {Map<string, string>} */
    this.drawn = new Map();
    /** Chosen, and not drawn yet. @type {Map<string, string>} */
    this.pending = new Map();
  }

  /** Whether what is drawn is of another choice than what is chosen. */
  get differs() {
    return [...this.pending].some(([name, value]) => value !== this.drawn.get(name));
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  choose(name, value) {
    this.pending.set(name, value);
  }

  /**
   * What a list shows as chosen.
   * @param {string} name
   */
  shown(name) {
    return this.pending.get(name) ?? this.drawn.get(name) ?? "";
  }

  /**
   * Take what was drawn.
   * @param {Record<string, List> | null} choices
   */
  answer(choices) {
    for (const name of NAMES) {
      const { chosen = "", options = [] } = choices?.[name] ?? {};
      this.drawn.set(name, chosen);
      const value = this.pending.get(name);
      if (value === chosen || !options.some(({ id }) => id === value)) this.pending.delete(name);
    }
  }

  /** Take what is drawn for what is chosen. */
  settle() {
    this.pending.clear();
  }
}

export class RiskChoices {
  /**
   * @param {import("./panel.js").Act} act
   * @param {() => void} onChange called when `differs` may have changed
   */
  constructor(act, onChange) {
    this.onChange = onChange;
    this.state = new PendingChoices();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.later = undefined;
    this.lists = NAMES.map((name) => {
      const label = h("span");
      const select = h("select", {
        onchange: () => {
          this.state.choose(name, select.value);
          act(name, select.value);
          this.settleSoon(!this.differs);
          onChange();
        },
      });
      return { name, label, select, row: h("label", label, select), listed: "" };
    });
    this.el = h(
      "div.kis-risk-choices",
      { onkeydown: keepKey },
      this.lists.map(({ row }) => row),
    );
  }

  /** Whether the figures are of another choice than what the lists say. */
  get differs() {
    return this.state.differs;
  }

  /**
   * @param {Record<string, List> | null} choices
   * @param {Record<string, string>} words
   * @param {boolean} answered whether something was drawn
   */
  update(choices, words, answered) {
    if (answered) {
      this.state.answer(choices);
      this.settleSoon(this.state.pending.size > 0);
    }
    this.el.hidden = !choices;
    for (const list of this.lists) {
      const options = choices?.[list.name]?.options ?? [];
      const now = JSON.stringify(options);
      if (now !== list.listed)
        list.select.replaceChildren(
          ...options.map(({ id, text }) => h("option", { value: id }, text)),
        );
      list.listed = now;
      list.select.value = this.state.shown(list.name);
      setText(list.label, words[list.name]);
      // Of one underlying there is nothing to choose.
      list.row.hidden = options.length < (list.name === "underlying" ? 2 : 1);
    }
  }

  /**
   * Take what is drawn for what is chosen in a while, unless something else comes.
   * @param {boolean} due whether no other answer may come
   */
  settleSoon(due) {
    clearTimeout(this.later);
    if (!due) return;
    this.later = setTimeout(() => {
      this.state.settle();
      for (const { name, select } of this.lists) select.value = this.state.shown(name);
      this.onChange();
    }, PATIENCE_MS);
  }

  remove() {
    clearTimeout(this.later);
  }
}
