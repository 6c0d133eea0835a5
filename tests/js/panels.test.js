import assert from "node:assert/strict";
import test from "node:test";
import { ageText, progressText } from "../../kis_nb/_widgets/static/panels/ages.js";
import { stack } from "../../kis_nb/_widgets/static/panels/chart_png.js";
import { isOtherView, nextOption } from "../../kis_nb/_widgets/static/panels/controls.js";
import { barWidth } from "../../kis_nb/_widgets/static/panels/progress.js";

const WORDS = { age_s: "{n} s", age_m: "{n} min", age_h: "{n} h" };

test("an age is in seconds, minutes or hours", () => {
  const ages = [-3, 0.9, 119.9, 120, 7199, 7200, 90_000].map((age) => ageText(age, WORDS));
  assert.deepEqual(ages, ["0 s", "0 s", "119 s", "2 min", "119 min", "2 h", "25 h"]);
});

test("progress is a page, or a wait that is counted down to its moment", () => {
  assert.equal(progressText(null, 0), "");
  assert.equal(progressText({ text: "page 2", token: null }, 0), "page 2");
  const token = { text: "token in {n} s", until: 130 };
  assert.equal(progressText({ text: "", token }, 100.2), "token in 30 s");
  assert.equal(progressText({ text: "", token }, 200), "token in 0 s");
});

test("a bar is filled by the pages read, whole when nobody knows how many there are", () => {
  assert.equal(barWidth({ page: 1, total: 4 }), "25%");
  assert.equal(barWidth({ page: 5, total: 4 }), "100%");
  assert.equal(barWidth({ page: 5, total: 0 }), "100%");
});

test("another view is one that differs in a control that is there", () => {
  assert.equal(isOtherView([0, 0, 1], [0, 0, 1]), false);
  assert.equal(isOtherView([0, 0, 1], [0, 1, 1]), true);
  assert.equal(isOtherView([0, 0, 1], [-1, 0, 1]), false);
  assert.equal(isOtherView([-1, 0, 1], [2, 0, 1]), false);
  assert.equal(isOtherView(null, [0, 0, 0]), false);
});

test("the arrow keys go round", () => {
  assert.deepEqual([nextOption(0, 1, 2), nextOption(1, 1, 2), nextOption(0, -1, 3)], [1, 0, 2]);
});

test("the charts of the PNG stand below one another", () => {
  const sizes = [
    { width: 300, height: 100 },
    { width: 500, height: 200 },
  ];
  assert.deepEqual(stack(sizes), { tops: [48, 172], width: 532, height: 404 });
});
