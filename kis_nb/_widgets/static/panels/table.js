// The positions as a table that is filtered, sorted and added up on the page.

import { h, setText } from "../shared/elements.js";
import { PAGE } from "../shared/page.js";
import { adds, isOvertaken, toggle } from "../shared/selection.js";
import { formatSigned, signOf } from "./exact_sum.js";
import { panel } from "./panel.js";
import { filterRows, nextOrder, sortRows, sumColumn } from "./position_rows.js";

/**
 * @typedef {import("./position_rows.js").Column} Column
 * @typedef {import("./position_rows.js").PositionRow} PositionRow
 * @typedef {{columns: Column[], rows: PositionRow[], words: Record<string, any>}} Table
 */

const TONES = { 1: "kis-up", 0: "", "-1": "kis-down" };

/**
 * The row of sums under the table.
 * @param {Table} table
 * @param {PositionRow[]} rows those that show
 */
function footCells({ columns, words }, rows) {
  return columns.map((column, at) => {
    if (at === 0) return h("th", { scope: "row" }, words.sum_shown);
    if (!column.sum) return h("td");
    const { total, lacking } = sumColumn(rows, column);
    const tone = total === null ? "" : TONES[signOf(total)];
    return h(
      "td",
      { class: `kis-number ${tone}` },
      total === null ? "–" : formatSigned(total),
      // A position without a price has no P&L to add.
      lacking > 0 && h("small.kis-missing", words.without_price.replace("{n}", lacking)),
    );
  });
}

export default panel((el, act) => {
  el.classList.add("kis-positions-panel");
  const title = h("h3.kis-title");
  const find = h("input.kis-find", { type: "search", oninput: () => arrange() });
  const side = h("select.kis-side", { onchange: () => arrange() });
  const count = h("span.kis-count", { role: "status" });
  const clear = h("button.kis-clear", { type: "button", hidden: true, onclick: () => select([]) });
  const keys = () => shown.map((row) => row.key);
  const csv = h("button", { type: "button", onclick: () => act("csv", keys()) });
  const excel = h("button", { type: "button", onclick: () => act("excel", keys()) });
  const head = h("tr");
  const body = h("tbody");
  const foot = h("tr");
  const table = h("table", h("thead", head), body, h("tfoot", foot));
  const empty = h("div.kis-empty", { hidden: true });
  const box = h("div.kis-table", { tabindex: "0", role: "region" }, table, empty);
  el.append(
    h("div.kis-tools", title, find, side, count, clear, h("span.kis-gap"), csv, excel),
    box,
  );

  /** @type {Table} */
  let content = { columns: [], rows: [], words: {} };
  /** @type {string[]} */
  let selected = [];
  let gesture = 0; // number of the last selection made here
  /** @type {string[] | null} */
  let only = null; // ids that a brush over a chart left
  /** @type {import("./position_rows.js").Order | null} */
  let order = null;
  /** @type {PositionRow[]} */
  let shown = [];
  /** @type {Map<string, HTMLTableRowElement>} */
  const lines = new Map(); // by row key

  /** @param {string[]} ids */
  function select(ids) {
    selected = ids;
    if (!ids.length) only = null;
    gesture = ++PAGE.gestures;
    act("select", { ids, number: gesture });
    arrange();
  }

  /** @param {string} id */
  function makeLine(id) {
    /** @param {MouseEvent | KeyboardEvent} event */
    const choose = (event) => select(toggle(selected, id, adds(event)));
    const line = h("tr", {
      tabindex: "-1",
      onclick: choose,
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const { key } = event;
        if (key === "Enter" || key === " ") choose(event);
        else if (key === "ArrowDown" || key === "ArrowUp") {
          const next = key === "ArrowDown" ? line.nextElementSibling : line.previousElementSibling;
          if (next instanceof HTMLElement) next.focus();
        } else return;
        event.preventDefault();
      },
    });
    line.append(...content.columns.map(() => h("td")));
    return line;
  }

  /** @param {PositionRow} row */
  function fillLine(row) {
    const { columns } = content;
    let line = lines.get(row.key);
    if (!line || line.children.length !== columns.length) {
      line = makeLine(row.id);
      lines.set(row.key, line);
    }
    for (const [at, text] of row.cells.entries()) {
      const cell = line.children[at];
      setText(cell, text);
      const tone = row.tones[at] ? `kis-${row.tones[at]}` : "";
      const look = `${columns[at].number ? "kis-number" : ""} ${tone}`;
      if (cell.className !== look) cell.className = look;
    }
    const isSelected = String(selected.includes(row.id));
    if (line.getAttribute("aria-selected") !== isSelected)
      line.setAttribute("aria-selected", isSelected);
    line.tabIndex = row === shown[0] ? 0 : -1;
    return line;
  }

  function drawHeads() {
    const heads = content.columns.map((column) => {
      const sorted = order?.key === column.key ? order : null;
      const [state, arrow] = !sorted
        ? ["none", ""]
        : sorted.down
          ? ["descending", " ▼"]
          : ["ascending", " ▲"];
      const onclick = () => {
        order = nextOrder(order, column);
        drawHeads();
        arrange();
      };
      return h(
        "th",
        { scope: "col", class: column.number ? "kis-number" : "", "aria-sort": state },
        h("button", { type: "button", title: column.key, onclick }, column.label + arrow),
      );
    });
    head.replaceChildren(...heads);
  }

  function arrange() {
    const { columns, rows, words } = content;
    const filtered = filterRows(rows, { text: find.value, side: side.value, only });
    shown = sortRows(filtered, columns, order);
    const made = shown.map(fillLine);
    const all = new Set(rows.map((row) => row.key));
    for (const key of lines.keys()) if (!all.has(key)) lines.delete(key);
    const same =
      made.length === body.children.length && made.every((line, at) => body.children[at] === line);
    if (!same) body.replaceChildren(...made);
    foot.replaceChildren(...footCells(content, shown));
    const counted = rows.length
      ? words.count.replace("{shown}", shown.length).replace("{all}", rows.length)
      : "";
    setText(count, counted);
    clear.hidden = !selected.length;
    setText(clear, `${(words.picked ?? "").replace("{n}", selected.length)} ✕`);
    clear.setAttribute("aria-label", words.clear ?? "");
    empty.hidden = shown.length > 0;
    setText(empty, rows.length ? words.no_match : words.no_positions);
    table.hidden = !rows.length;
  }

  /** @param {Table} table */
  function takeTable(table) {
    content = table;
    const { words } = content;
    setText(title, words.positions);
    find.setAttribute("aria-label", words.filter);
    find.placeholder = words.filter;
    side.setAttribute("aria-label", words.side);
    box.setAttribute("aria-label", words.positions);
    const kept = side.value;
    const options = words.sides.map((/** @type {[string, string]} */ [value, label]) =>
      h("option", { value }, label),
    );
    side.replaceChildren(...options);
    side.value = kept;
    setText(csv, words.csv);
    setText(excel, words.excel);
    csv.disabled = excel.disabled = !content.rows.length;
    drawHeads();
  }

  // A row that was selected elsewhere is brought into sight, unless it is under the mouse.
  function scrollToSelected() {
    const row = shown.find((one) => one.id === selected[0]);
    const line = row && lines.get(row.key);
    if (!line?.isConnected || line.matches(":hover")) return;
    const [inner, outer] = [line.getBoundingClientRect(), box.getBoundingClientRect()];
    // The head covers the first 32 px.
    if (inner.top < outer.top + 32 || inner.bottom > outer.bottom)
      box.scrollTop += inner.top - outer.top - 64;
  }

  return {
    update(parts, changed) {
      if (changed.has("table")) takeTable(parts.table);
      const message = changed.has("picked") ? parts.picked : null;
      const taken = message && !isOvertaken(message, PAGE.id, gesture);
      if (taken) {
        selected = message.ids;
        // What a chart's brush selected is what the table then shows.
        only = message.only ? message.ids : null;
      }
      arrange();
      const here = taken && message.page === PAGE.id && message.number === gesture;
      if (taken && !here && selected.length === 1) scrollToSelected();
    },
  };
});
