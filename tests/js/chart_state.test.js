import assert from "node:assert/strict";
import test from "node:test";
import { ChartState } from "../../kis_nb/_widgets/static/charts/chart_state.js";

/** @param {number} value */
const rows = (value) => ({ bars: [{ value }] });

/** A state that shows variant "a" and holds "b". */
function drawn() {
  const state = new ChartState();
  state.receive({
    type: "draw",
    seq: 1,
    ids: ["x"],
    spec: {},
    rows: rows(1),
    variants: { b: rows(2) },
    shown: "a",
  });
  return state;
}

/**
 * @param {number} seq
 * @param {string} shown
 * @param {Record<string, object>} [variants]
 * @param {string[]} [names]
 */
const message = (seq, shown, variants = {}, names = ["a", "b"]) => ({
  type: "variants",
  seq,
  shown,
  names,
  variants,
});

test("a chart is drawn with its rows and its selection", () => {
  const state = drawn();
  assert.deepEqual([state.rows, state.selected, state.drawn], [rows(1), ["x"], 1]);
});

test("a message that comes late is passed over", () => {
  const state = drawn();
  assert.equal(state.receive({ type: "rows", seq: 3, rows: rows(3) }), true);
  assert.equal(state.receive({ type: "rows", seq: 2, rows: rows(2) }), false);
  assert.deepEqual(state.rows, rows(3));
});

test("new rows replace their datasets, the others stay", () => {
  const state = drawn();
  state.receive({ type: "rows", seq: 2, rows: { lines: [] } });
  assert.deepEqual(state.rows, { ...rows(1), lines: [] });
});

test("the kernel shows another variant by its name alone", () => {
  const state = drawn();
  assert.equal(state.receive(message(2, "b")), true);
  assert.deepEqual(state.rows, rows(2));
  assert.equal(state.receive(message(3, "b")), false);
});

test("a changed variant is painted only when it is the one on show", () => {
  const state = drawn();
  assert.equal(state.receive(message(2, "a", { b: rows(5) })), false);
  assert.equal(state.receive(message(3, "a", { a: rows(6) })), true);
  assert.deepEqual(state.rows, rows(6));
});

test("a variant that is no longer named is forgotten", () => {
  const state = drawn();
  state.receive(message(2, "a", {}, ["a"]));
  assert.equal(state.ask("b"), false);
  assert.deepEqual(state.rows, rows(1));
});

test("a click shows a variant before the kernel does, and the kernel's answer changes nothing", () => {
  const state = drawn();
  assert.equal(state.ask("b"), true);
  assert.deepEqual([state.rows, state.asked], [rows(2), "b"]);
  assert.equal(state.receive(message(2, "b")), false);
  assert.deepEqual([state.rows, state.asked], [rows(2), null]);
});

test("without the kernel's answer the chart comes back to what the kernel shows", () => {
  const state = drawn();
  state.ask("b");
  assert.equal(state.ask(null), true);
  assert.deepEqual(state.rows, rows(1));
});

test("what was asked for stays while the kernel sends new rows of the old variant", () => {
  const state = drawn();
  state.ask("b");
  state.receive({ type: "rows", seq: 2, rows: rows(7) });
  assert.deepEqual(state.rows, rows(2));
  state.ask(null);
  assert.deepEqual(state.rows, rows(7));
});

test("a variant that the page does not hold cannot be asked for", () => {
  const state = drawn();
  for (const name of ["c", "a", "toString"]) {
    assert.equal(state.ask(name), false);
    assert.equal(state.asked, null);
  }
});

test("what was asked for is given up when the kernel drops it", () => {
  const state = drawn();
  state.ask("b");
  assert.equal(state.receive(message(2, "a", {}, ["a"])), true);
  assert.deepEqual([state.rows, state.asked], [rows(1), null]);
});

test("the kernel's selection is taken unless a later one was made here", () => {
  const state = drawn();
  state.gesture = 4;
  assert.equal(state.select({ ids: ["y"], page: "p", number: 3 }, "p"), false);
  assert.deepEqual(state.selected, ["x"]);
  assert.equal(state.select({ ids: ["y"], page: "p", number: 4 }, "p"), true);
  assert.equal(state.select({ ids: ["z"], page: null, number: 0 }, "p"), true);
  assert.deepEqual(state.selected, ["z"]);
});

test("rows that come before the first spec do not keep it out", () => {
  const state = new ChartState();
  assert.equal(
    state.receive({ type: "variants", seq: 4, shown: "a", names: ["a"], variants: { a: rows(3) } }),
    false,
  );
  assert.equal(state.receive({ type: "rows", seq: 5, rows: rows(4) }), false);
  assert.equal(state.seq, -1);
  const draw = { type: "draw", seq: 4, spec: {}, rows: rows(2), ids: [], variants: {}, shown: "a" };
  assert.equal(state.receive(draw), true);
  assert.deepEqual([state.rows, state.drawn], [rows(2), 4]);
});
