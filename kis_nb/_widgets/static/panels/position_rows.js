// Which rows of the positions table show, in which order, and what their sums are.

import { sumExact } from "./exact_sum.js";

/**
 * @typedef {object} Column
 * @property {string} key the field's name on the wire
 * @property {string} label
 * @property {boolean} number whether it holds figures
 * @property {boolean} sum whether the rows are added up below it
 * @property {boolean} of_price whether its figure is worked out from the price
 */

/**
 * @typedef {object} PositionRow
 * @property {string} key different for each row
 * @property {string} id the product's number, by which charts and table select
 * @property {string} side "long", "short", "flat" or "" when it is not known
 * @property {string} search what the search field looks in, in lower case
 * @property {string[]} cells texts, a column each
 * @property {string[]} tones "up", "down", "flat" or "", a column each
 * @property {(number | null)[]} ranks the row's place in each column, smallest first; null is a
 *   missing figure. The kernel ranks the exact figures: they have more digits than a number here.
 * @property {Record<string, string | null>} amounts exact figures of the columns that are added up,
 *   as decimal texts by column key; null is a missing figure
 * @property {boolean} unpriced whether the position has no price yet
 */

/** @typedef {{key: string, down: boolean}} Order */

/**
 * The rows that pass every filter.
 * @param {PositionRow[]} rows
 * @param {{text: string, side: string, only: string[] | null}} filters `text` is searched for, `side`
 *   "" takes all, `only` are ids
 */
export function filterRows(rows, { text, side, only }) {
  const words = text.trim().toLowerCase();
  return rows.filter(
    (row) =>
      (!words || row.search.includes(words)) &&
      (!side || row.side === side) &&
      (!only || only.includes(row.id)),
  );
}

/**
 * The rows in this order, or in their own without one. A missing figure is neither small nor large:
 * it comes last both ways.
 * @param {PositionRow[]} rows
 * @param {Column[]} columns
 * @param {Order | null} order
 */
export function sortRows(rows, columns, order) {
  if (!order) return rows;
  const at = columns.findIndex((column) => column.key === order.key);
  const direction = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a.ranks[at], b.ranks[at]];
    if (x == null || y == null) return Number(x == null) - Number(y == null);
    return direction * (x - y);
  });
}

/**
 * The order after a click on a column's head: figures from the largest and texts from A, then the
 * other way round, then none.
 * @param {Order | null} order
 * @param {Column} column
 * @returns {Order | null}
 */
export function nextOrder(order, { key, number }) {
  if (order?.key !== key) return { key, down: number };
  return order.down === number ? { key, down: !number } : null;
}

/**
 * What is shown under a column.
 * @param {PositionRow[]} rows
 * @param {Column} column
 * @returns {{total: string | null, lacking: number}} the exact sum as a decimal text, null when a
 *   figure is missing; and how many rows have no price and so are not in it
 */
export function sumColumn(rows, { key, of_price }) {
  const counted = of_price ? rows.filter((row) => !row.unpriced) : rows;
  /** @type {string[]} */
  const known = [];
  for (const row of counted) {
    const amount = row.amounts[key];
    if (amount != null) known.push(amount);
  }
  const total = known.length === counted.length ? sumExact(known) : null;
  return { total, lacking: rows.length - counted.length };
}
