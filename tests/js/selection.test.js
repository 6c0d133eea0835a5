import assert from "node:assert/strict";
import test from "node:test";
import { adds, isOvertaken, toggle } from "../../kis_nb/_widgets/static/shared/selection.js";

test("a click selects one, and the same again nothing", () => {
  assert.deepEqual(toggle([], "a", false), ["a"]);
  assert.deepEqual(toggle(["a", "b"], "a", false), ["a"]);
  assert.deepEqual(toggle(["a"], "a", false), []);
});

test("a click with Ctrl adds or removes one", () => {
  assert.deepEqual(toggle(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(toggle(["a", "b"], "a", true), ["b"]);
});

test("a click beside all marks clears, with Ctrl it changes nothing", () => {
  assert.deepEqual(toggle(["a"], null, false), []);
  assert.deepEqual(toggle(["a"], null, true), ["a"]);
});

test("Ctrl, Cmd and Shift add", () => {
  const none = { ctrlKey: false, metaKey: false, shiftKey: false };
  assert.equal(adds(none), false);
  for (const key of Object.keys(none)) assert.equal(adds({ ...none, [key]: true }), true);
});

test("only an earlier selection of the same page is overtaken", () => {
  assert.equal(isOvertaken({ page: "here", number: 2 }, "here", 3), true);
  assert.equal(isOvertaken({ page: "here", number: 3 }, "here", 3), false);
  assert.equal(isOvertaken({ page: "there", number: 2 }, "here", 3), false);
  assert.equal(isOvertaken({ page: null, number: 0 }, "here", 3), false);
});
