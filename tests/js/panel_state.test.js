import assert from "node:assert/strict";
import test from "node:test";
import { PanelState } from "../../kis_nb/_widgets/static/panels/panel_state.js";

/**
 * @param {number} seq
 * @param {Record<string, unknown>} parts
 * @returns {import("../../kis_nb/_widgets/static/panels/panel_state.js").PartsMessage}
 */
const some = (seq, parts) => ({ type: "parts", seq, now: 100, parts });

/**
 * @param {number} seq
 * @param {Record<string, unknown>} parts
 * @returns {import("../../kis_nb/_widgets/static/panels/panel_state.js").PartsMessage}
 */
const all = (seq, parts) => ({ type: "all", seq, now: 100, parts });

test("parts replace those of their name, and the page's clock is set right", () => {
  const state = new PanelState();
  assert.deepEqual(state.receive(some(1, { a: 1, b: 1 }), 97), {
    ask: false,
    changed: new Set(["a", "b"]),
  });
  assert.deepEqual([...state.receive(some(2, { b: 2 }), 97).changed], ["b"]);
  assert.deepEqual([state.parts, state.skew], [{ a: 1, b: 2 }, 3]);
});

test("after a lost message the page asks for everything, and takes it", () => {
  const state = new PanelState();
  state.receive(some(1, { a: 1 }), 0);
  const taken = state.receive(some(3, { a: 3 }), 0);
  assert.deepEqual(taken, { ask: true, changed: new Set() });
  assert.deepEqual(state.parts, { a: 1 });
  assert.equal(state.receive(all(4, { a: 3, b: 2 }), 0).ask, false);
  assert.deepEqual(state.parts, { a: 3, b: 2 });
});

test("messages in the wrong order are made good by the answer to the ask", () => {
  const state = new PanelState();
  state.receive(some(1, { a: 1 }), 0);
  assert.equal(state.receive(some(3, { a: 3 }), 0).ask, true);
  assert.equal(state.receive(some(2, { a: 2 }), 0).ask, false);
  state.receive(all(4, { a: 3 }), 0);
  assert.deepEqual(state.receive(some(2, { a: 2 }), 0), { ask: false, changed: new Set() });
  assert.deepEqual(state.parts, { a: 3 });
});

test("a page that opens late asks at its first message", () => {
  const state = new PanelState();
  assert.equal(state.receive(some(5, { a: 5 }), 0).ask, true);
  assert.equal(state.receive(all(6, { a: 5 }), 0).ask, false);
  assert.deepEqual([...state.receive(some(7, { a: 7 }), 0).changed], ["a"]);
});
