import assert from "node:assert/strict";
import test from "node:test";
import { isDrag, overlaps, rectangle } from "../../kis_nb/_widgets/static/charts/brush.js";
import { rowsForVega } from "../../kis_nb/_widgets/static/charts/chart_place.js";
import { PaintQueue } from "../../kis_nb/_widgets/static/charts/paint_queue.js";
import { besideMouse, tooltipLines } from "../../kis_nb/_widgets/static/charts/tooltip.js";
import { VegaSlot } from "../../kis_nb/_widgets/static/charts/vega_slots.js";

test("the first chart is on the screen before the others, those a click asked for come next", async () => {
  /** @type {string[]} */
  const log = [];
  const note = (/** @type {string} */ word) => async () => {
    log.push(word);
  };
  const queue = new PaintQueue(note("frame"), note("task"));
  const add = (/** @type {string} */ name, isUrgent = false) =>
    queue.add(note(name), () => isUrgent);
  await Promise.all([add("first"), add("second"), add("third"), add("clicked", true)]);
  assert.deepEqual(log, ["first", "frame", "clicked", "task", "second", "task", "third"]);
  await add("later");
  assert.equal(log.at(-1), "later");
});

test("a chart that fails holds up no other", async () => {
  const queue = new PaintQueue(
    async () => {},
    async () => {},
  );
  const broken = queue.add(
    () => Promise.reject(new Error("broken")),
    () => false,
  );
  const next = queue.add(
    async () => {},
    () => false,
  );
  await assert.rejects(broken, /broken/);
  await next;
});

const SOURCE = new DataView(new ArrayBuffer(1));

test("Vega is run once, whoever brings it, and each kernel is asked once", async () => {
  let runs = 0;
  const vega = /** @type {any} */ ({});
  const slot = new VegaSlot(async () => {
    runs += 1;
    return vega;
  });
  assert.deepEqual([slot.wants("k1"), slot.wants("k1"), slot.wants("k2")], [true, false, true]);
  slot.load(SOURCE);
  slot.load(SOURCE);
  assert.equal(await slot.ready, vega);
  assert.equal(runs, 1);
  assert.equal(slot.wants("k3"), false);
});

test("a source that does not run is reported to the charts that wait for it", async () => {
  const slot = new VegaSlot(() => Promise.reject(new Error("no module")));
  slot.load(SOURCE);
  await assert.rejects(slot.ready, /no module/);
});

test("rows are copied, and in every other update their lines are new ones", () => {
  const rows = [{ key: "a", value: 1 }, { value: 2 }];
  assert.deepEqual(rowsForVega(rows, "key", 1), [{ key: "\u200ba", value: 1 }, { value: 2 }]);
  assert.deepEqual(rowsForVega(rows, "key", 2), rows);
  assert.deepEqual(rowsForVega(rows, undefined, 1), rows);
  assert.notEqual(rowsForVega(rows, undefined, 1)[0], rows[0]);
});

test("a drag begins after some pixels and selects what its rectangle touches", () => {
  assert.equal(isDrag([10, 10], [13, 13]), false);
  assert.equal(isDrag([10, 10], [10, 16]), true);
  assert.deepEqual(rectangle([10, 40], [4, 50]), {
    left: "4px",
    top: "40px",
    width: "6px",
    height: "10px",
  });
  const area = { left: 0, top: 0, right: 10, bottom: 10 };
  assert.equal(overlaps(area, { left: 10, top: 10, right: 20, bottom: 20 }), true);
  assert.equal(overlaps(area, { left: 11, top: 0, right: 20, bottom: 20 }), false);
  assert.equal(overlaps(area, { left: 0, top: -9, right: 20, bottom: -1 }), false);
});

test("a tooltip lists what has a figure", () => {
  const value = { P: "+1", Q: "", R: null, S: "null", T: 0 };
  assert.deepEqual(tooltipLines(value), [
    ["P", "+1"],
    ["T", "0"],
  ]);
  assert.deepEqual(tooltipLines("text"), [["", "text"]]);
  assert.deepEqual(tooltipLines(""), []);
  assert.deepEqual(tooltipLines(null), []);
});

test("a tooltip stays in the window", () => {
  assert.equal(besideMouse(100, 50, 1000), 114);
  assert.equal(besideMouse(980, 50, 1000), 916);
  assert.equal(besideMouse(20, 900, 800), 0);
});
