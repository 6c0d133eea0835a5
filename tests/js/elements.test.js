import assert from "node:assert/strict";
import test from "node:test";
import { h, setText } from "../../kis_nb/_widgets/static/shared/elements.js";
import { FakeElement, fakePage } from "./fakes.js";

fakePage();

/**
 * @param {Parameters<typeof h>} parts
 * @returns {FakeElement}
 */
const build = (...parts) => /** @type {any} */ (h(...parts));

test("strings become text, never markup", () => {
  const made = build("b", "<img src=x onerror=alert(1)>", [" & ", "more"]);
  assert.deepEqual(made.children, ["<img src=x onerror=alert(1)>", " & ", "more"]);
});

test("classes, attributes, listeners and children", () => {
  const listener = () => {};
  const child = build("i");
  const made = build("div.one.two", { title: "t", hidden: true, onclick: listener }, child);
  assert.equal(made.tag, "div");
  assert.equal(made.className, "one two");
  assert.deepEqual(made.attributes, { title: "t", hidden: "" });
  assert.deepEqual(made.listeners, { click: listener });
  assert.deepEqual(made.children, [child]);
});

test("what is not there is left out", () => {
  const made = build("p", null, undefined, false, { title: null, hidden: false, lang: undefined });
  assert.deepEqual(made.children, []);
  assert.deepEqual(made.attributes, {});
});

test("an unchanged text is not set again", () => {
  let sets = 0;
  const node = {
    text: "a",
    get textContent() {
      return this.text;
    },
    set textContent(text) {
      sets += 1;
      this.text = text;
    },
  };
  setText(/** @type {any} */ (node), "a");
  assert.equal(sets, 0);
  setText(/** @type {any} */ (node), "b");
  assert.equal(sets, 1);
});
