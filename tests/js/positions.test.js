import assert from "node:assert/strict";
import test from "node:test";
import { formatSigned, signOf, sumExact } from "../../kis_nb/_widgets/static/panels/exact_sum.js";
import {
  filterRows,
  nextOrder,
  sortRows,
  sumColumn,
} from "../../kis_nb/_widgets/static/panels/position_rows.js";

/**
 * @typedef {import("../../kis_nb/_widgets/static/panels/position_rows.js").PositionRow} PositionRow
 * @typedef {import("../../kis_nb/_widgets/static/panels/position_rows.js").Column} Column
 */

/**
 * @param {string} key
 * @param {Partial<PositionRow>} more
 * @returns {PositionRow}
 */
const row = (key, more = {}) => ({
  key,
  id: key,
  side: "long",
  search: key,
  cells: [],
  tones: [],
  ranks: [],
  amounts: {},
  unpriced: false,
  ...more,
});

/** @type {Column} */
const NAME = { key: "name", label: "", number: false, sum: false, of_price: false };
/** @type {Column} */
const PNL = { key: "pnl", label: "", number: true, sum: true, of_price: true };
/** @type {Column} */
const REALIZED = { ...PNL, key: "realized", of_price: false };
const ALL = { text: "", side: "", only: null };

/** @param {PositionRow[]} rows */
const keys = (rows) => rows.map((one) => one.key).join("");

test("rows are filtered by words, side and a brush", () => {
  const rows = [row("a", { search: "f 202612" }), row("b", { side: "short" }), row("c")];
  assert.equal(keys(filterRows(rows, ALL)), "abc");
  assert.equal(keys(filterRows(rows, { ...ALL, text: "  F 2026 " })), "a");
  assert.equal(keys(filterRows(rows, { ...ALL, side: "short" })), "b");
  assert.equal(keys(filterRows(rows, { ...ALL, only: ["c", "a"] })), "ac");
  assert.equal(keys(filterRows(rows, { text: "f", side: "short", only: null })), "");
});

test("rows are sorted by rank, those without a figure last both ways", () => {
  const rows = ["a", "b", "c", "d"].map((key, at) => row(key, { ranks: [0, [2, null, 3, 1][at]] }));
  assert.equal(keys(sortRows(rows, [NAME, PNL], { key: "pnl", down: true })), "cadb");
  assert.equal(keys(sortRows(rows, [NAME, PNL], { key: "pnl", down: false })), "dacb");
  assert.equal(keys(sortRows(rows, [NAME, PNL], null)), "abcd");
  assert.equal(keys(rows), "abcd");
});

test("figures are sorted from the largest and names from A, then the other way, then not", () => {
  /** @type {import("../../kis_nb/_widgets/static/panels/position_rows.js").Order | null} */
  let order = null;
  const orders = [PNL, PNL, PNL, NAME, NAME, PNL].map((column) => {
    order = nextOrder(order, column);
    return order;
  });
  assert.deepEqual(orders, [
    { key: "pnl", down: true },
    { key: "pnl", down: false },
    null,
    { key: "name", down: false },
    { key: "name", down: true },
    { key: "pnl", down: true },
  ]);
});

test("a sum has every digit", () => {
  assert.equal(sumExact(["-9007199254740993001", "1"]), "-9007199254740993000");
  assert.equal(sumExact(["0.1", "0.2", "-5"]), "-4.7");
  assert.equal(sumExact(["0.05", "-0.10"]), "-0.05");
  assert.equal(sumExact(["1.50", "2.500"]), "4.000");
  assert.equal(sumExact([]), "0");
});

test("what is no figure is refused", () => {
  for (const text of ["", "1e5", "▲ +1", "1,000", "NaN", "1."]) {
    assert.throws(() => sumExact([text]), TypeError);
  }
});

test("a sum is written as the figures above it", () => {
  const written = ["1237500", "-999", "0", "-1000000.50", "12.000", "0.00"].map(formatSigned);
  assert.deepEqual(written, ["+1,237,500", "-999", "0", "-1,000,000.50", "+12.00", "0.00"]);
  assert.deepEqual([signOf("-0.01"), signOf("0.00"), signOf("-0"), signOf("3")], [-1, 0, 0, 1]);
});

test("a missing figure makes a sum unknown, one without a price is counted as lacking", () => {
  const rows = [
    row("a", { amounts: { pnl: "5", realized: "1" } }),
    row("b", { amounts: { pnl: "0", realized: null }, unpriced: true }),
  ];
  assert.deepEqual(sumColumn(rows, PNL), { total: "5", lacking: 1 });
  assert.deepEqual(sumColumn(rows, REALIZED), { total: null, lacking: 0 });
  assert.deepEqual(sumColumn([], PNL), { total: "0", lacking: 0 });
});
