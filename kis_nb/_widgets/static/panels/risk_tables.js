// The Greeks of the Risk tab: cards, the totals, and the positions, which can be sorted and searched.

import { h, setText } from "../shared/elements.js";
import { Cards } from "./cards.js";
import { panel } from "./panel.js";
import { nextOrder } from "./position_rows.js";

/** A text, and a small one below it. @typedef {[string] | [string, string]} Cell */

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {string} [unit] of its figures
 * @property {boolean} number whether it holds figures
 */

/**
 * @typedef {object} GreekRow
 * @property {string} key different for each row
 * @property {Cell[]} cells a column each
 * @property {(number | string | null)[]} ranks what each column is sorted by
 */

/** @typedef {{columns: Column[], rows: GreekRow[]}} Positions */
/** @typedef {{heads: Cell[], texts: number, rows: Cell[][]}} Totals */

/**
 * The rows that hold all words, in this order; what is missing comes last both ways.
 * @param {GreekRow[]} rows
 * @param {string} text
 * @param {number} at the column that they are sorted by; -1 for their own order
 * @param {boolean} down
 */
export function arrangeGreeks(rows, text, at, down) {
  const words = text.trim().toLowerCase();
  const found = rows.filter(({ cells }) => cells[0][0].toLowerCase().includes(words));
  if (at < 0) return found;
  return found.sort(({ ranks: a }, { ranks: b }) => {
    const [x, y] = [a[at], b[at]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order = x < y ? -1 : Number(x > y);
    return down ? -order : order;
  });
}

/**
 * @param {Cell} cell
 * @param {boolean} number
 */
function makeCell([text, small], number) {
  const tone = text.startsWith("▲") ? "kis-up" : text.startsWith("▼") ? "kis-down" : "";
  return h(
    "td",
    { class: `${number ? "kis-number" : ""} ${tone}` },
    text,
    small && h("small", small),
  );
}

/** @param {Totals} totals */
function totalsTable({ heads, texts, rows }) {
  const head = heads.map(([text, small], at) =>
    h(
      "th",
      { scope: "col", class: at < texts ? null : "kis-number" },
      text,
      small && h("small", small),
    ),
  );
  const lines = rows.map((row) => h("tr", ...row.map((cell, at) => makeCell(cell, at >= texts))));
  return h("table", h("thead", h("tr", head)), h("tbody", lines));
}

export default panel((el) => {
  el.classList.add("kis-risk-tables");
  const title = h("h3.kis-title");
  const cards = new Cards();
  const totalsTitle = h("h3.kis-title");
  const totals = h("div.kis-table", { tabindex: "0", role: "region" });
  const listTitle = h("h3.kis-title");
  const find = h("input.kis-find", { type: "search", oninput: () => arrange() });
  const how = h("p.kis-risk-how");
  const head = h("tr");
  const body = h("tbody");
  const list = h(
    "div.kis-table",
    { tabindex: "0", role: "region" },
    h("table", h("thead", head), body),
  );
  el.append(title, cards.el, totalsTitle, totals, h("div.kis-tools", listTitle, find), how, list);
  /** @type {Positions} */
  let content = { columns: [], rows: [] };
  /** @type {import("./position_rows.js").Order | null} */
  let order = null;
  /** Lines by their row's content: an unchanged one is not built again. @type {Map<string, Element>} */
  let lines = new Map();

  function drawHeads() {
    const heads = content.columns.map((column) => {
      const sorted = order?.key === column.key ? order : null;
      const [state, arrow] = !sorted
        ? ["none", ""]
        : sorted.down
          ? ["descending", " ▼"]
          : ["ascending", " ▲"];
      const onclick = () => {
        order = nextOrder(order, { ...column, sum: false, of_price: false });
        drawHeads();
        arrange();
        /** @type {HTMLElement | null} */
        const button = head.querySelector(`[data-key="${column.key}"]`);
        button?.focus();
      };
      return h(
        "th",
        { scope: "col", class: column.number ? "kis-number" : "", "aria-sort": state },
        h("button", { type: "button", "data-key": column.key, onclick }, column.label + arrow),
        column.unit && h("small", column.unit),
      );
    });
    head.replaceChildren(...heads);
  }

  function arrange() {
    const { columns, rows } = content;
    const at = columns.findIndex(({ key }) => key === order?.key);
    const shown = arrangeGreeks(rows, find.value, at, order?.down ?? false);
    const made = shown.map((row) => lines.get(row.key + JSON.stringify(row.cells)) ?? h("tr"));
    body.replaceChildren(...made);
  }

  /** @param {Positions} positions */
  function take(positions) {
    content = positions;
    const { columns, rows } = content;
    const kept = lines;
    lines = new Map();
    for (const { key, cells } of rows) {
      const name = key + JSON.stringify(cells);
      const line =
        kept.get(name) ?? h("tr", ...cells.map((cell, at) => makeCell(cell, columns[at].number)));
      lines.set(name, line);
    }
    drawHeads();
    arrange();
  }

  return {
    update(parts, changed) {
      const { words } = parts;
      if (!words) return;
      setText(title, words.greeks);
      setText(totalsTitle, words.totals);
      setText(listTitle, words.positions);
      setText(how, [words.positions_how, parts.kis].filter(Boolean).join(" "));
      find.placeholder = words.find;
      find.setAttribute("aria-label", words.find);
      totals.setAttribute("aria-label", words.totals);
      list.setAttribute("aria-label", words.positions);
      el.hidden = !parts.positions;
      cards.update(parts.cards ?? [], words.greeks);
      if (changed.has("totals") && parts.totals) totals.replaceChildren(totalsTable(parts.totals));
      if (changed.has("positions") && parts.positions) take(parts.positions);
    },
  };
});
