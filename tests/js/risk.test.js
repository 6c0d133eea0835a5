import assert from "node:assert/strict";
import test from "node:test";
import { knownParams } from "../../kis_nb/_widgets/static/charts/chart_state.js";
import { PendingChoices } from "../../kis_nb/_widgets/static/panels/risk_choices.js";
import {
  beginShift,
  formatLevel,
  formatMove,
  formatWon,
  noShift,
  pnlAt,
  sameShift,
  toneOf,
} from "../../kis_nb/_widgets/static/panels/risk_grid.js";
import { isOf } from "../../kis_nb/_widgets/static/panels/risk_losers.js";
import { arrangeGreeks } from "../../kis_nb/_widgets/static/panels/risk_tables.js";

const GRID = {
  spots: [-0.01, 0, 0.01],
  vols: [-0.1, 0],
  level: 1000,
  excess_margin: 5,
  moments: [{ key: "now", label: "Now", pnl: [1, 2, 3, 4, 0, null] }],
};

test("a P&L is looked up by spot and volatility", () => {
  const [now] = GRID.moments;
  assert.equal(pnlAt(GRID, now, { spot: 2, vol: 0 }), 3);
  assert.equal(pnlAt(GRID, now, noShift(GRID)), 0);
  assert.equal(pnlAt(GRID, now, { spot: 2, vol: 1 }), null);
  assert.equal(pnlAt(GRID, now, { spot: 2, vol: 7 }), null);
});

test("a shift stays the same move on another grid, or goes back to none", () => {
  const wider = { ...GRID, spots: [-0.02, -0.01, 0, 0.01], vols: [0, 0.1] };
  assert.deepEqual(sameShift(GRID, { spot: 0, vol: 1 }, wider), { spot: 1, vol: 0 });
  assert.deepEqual(sameShift(GRID, { spot: 2, vol: 0 }, wider), { spot: 3, vol: 0 });
  assert.deepEqual(sameShift(null, { spot: 2, vol: 0 }, GRID), { spot: 1, vol: 1 });
});

test("the sliders begin at the move of the first answer, where the grid has it", () => {
  const begin = { spot: -0.01, vol: -0.1 };
  assert.deepEqual(beginShift({ ...GRID, begin }), { spot: 0, vol: 0 });
  assert.deepEqual(sameShift(null, { spot: 2, vol: 1 }, { ...GRID, begin }), { spot: 0, vol: 0 });
  assert.deepEqual(beginShift({ ...GRID, begin: { spot: -0.03, vol: 0.2 } }), noShift(GRID));
  assert.deepEqual(beginShift(GRID), noShift(GRID));
});

test("a level has thousands and two decimals", () => {
  assert.deepEqual([1038.8, 0.505].map(formatLevel), ["1,038.80", "0.51"]);
});

test("a list of positions is of one estimate, underlying and move", () => {
  const shown = { key: 2, underlying: "K", spot: -0.03, vol: 0.2 };
  assert.ok(isOf({ ...shown, rows: [] }, shown));
  assert.ok(isOf({ spot: -0.03, vol: 0.2, rows: [] }, shown));
  for (const other of [{ key: 1 }, { underlying: "Q" }, { spot: 0 }, { vol: 0 }])
    assert.ok(!isOf({ ...shown, ...other, rows: [] }, shown), JSON.stringify(other));
  assert.ok(!isOf(null, shown));
});

test("a choice stands until it is drawn, through answers to earlier ones", () => {
  const options = ["a", "b", "c"].map((id) => ({ id, text: id }));
  /** @param {string} chosen */
  const drawn = (chosen) => ({ at: { chosen, options } });
  const state = new PendingChoices();
  state.answer(drawn("a"));
  assert.ok(!state.differs);
  state.choose("at", "b");
  state.choose("at", "c");
  assert.ok(state.differs);
  state.answer(drawn("b"));
  assert.deepEqual([state.differs, state.shown("at")], [true, "c"]);
  state.answer(drawn("c"));
  assert.deepEqual([state.differs, state.shown("at")], [false, "c"]);
  state.choose("at", "b");
  state.answer({ at: { chosen: "a", options: options.slice(0, 1) } });
  assert.deepEqual([state.differs, state.shown("at")], [false, "a"]);
  state.choose("at", "c");
  state.settle();
  assert.deepEqual([state.differs, state.shown("at")], [false, "a"]);
});

test("estimates are written to the won, and 0 has no sign", () => {
  const texts = [1237500.4, -1237500, 0.2, -0.2, null].map(formatWon);
  assert.deepEqual(texts, ["▲ +1,237,500", "▼ -1,237,500", "0", "0", "–"]);
  assert.deepEqual([1, -1, 0.2, null].map(toneOf), ["kis-up", "kis-down", "", ""]);
});

test("a move is in per cent with its sign", () => {
  assert.deepEqual([-0.035, 0, 0.2, -0.0001].map(formatMove), ["-3.5%", "0%", "+20%", "0%"]);
});

test("a chart gets the parameters that it has", () => {
  const spec = { params: [{ name: "picked" }, { name: "risk_spot" }] };
  const params = { risk_spot: 0.01, risk_vol: 0.2 };
  assert.deepEqual(knownParams(spec, params), [["risk_spot", 0.01]]);
  assert.deepEqual(knownParams({}, params), []);
  assert.deepEqual(knownParams(null, params), []);
});

test("positions are searched and sorted, what is missing last", () => {
  /** @param {string} name @param {number | null} rank */
  const row = (name, rank) => ({
    key: name,
    cells: [/** @type {[string]} */ ([name])],
    ranks: [name, rank],
  });
  const rows = [row("C 990", 2), row("P 990", null), row("F", 3), row("C 995", -1)];
  /** @param {string} text @param {number} at @param {boolean} down */
  const keys = (text, at, down) => arrangeGreeks(rows, text, at, down).map(({ key }) => key);
  assert.deepEqual(keys("", -1, false), ["C 990", "P 990", "F", "C 995"]);
  assert.deepEqual(keys(" c 9", -1, false), ["C 990", "C 995"]);
  assert.deepEqual(keys("", 1, true), ["F", "C 990", "C 995", "P 990"]);
  assert.deepEqual(keys("", 1, false), ["C 995", "C 990", "F", "P 990"]);
  assert.deepEqual(keys("", 0, false)[0], "C 990");
});
