// Draws one ChartView (`chart_view.py`). The kernel sends custom messages, so that nothing of them is
// in a synced trait: `draw` (a Vega-Lite spec and its rows), `rows` (new rows), `variants` (sets of
// rows, one of them to show), `select` (ids) and `vega` (Vega's source, once a page). The page sends
// `ask` when it holds nothing yet (after a reload), `select` after a click or a drag, `places`, and
// `drawn`, if it is to, when a place has drawn the chart for the first time, or could not.

import { PAGE, pageWide } from "../shared/page.js";
import { hideSaved } from "../shared/saved.js";
import { ChartPlace } from "./chart_place.js";
import { ChartState } from "./chart_state.js";
import { nextFrame, nextTask, PaintQueue } from "./paint_queue.js";
import { runModule, VegaSlot } from "./vega_slots.js";

/** @typedef {import("../shared/page.js").Model} Model */

const QUEUE = pageWide("paints", () => new PaintQueue(nextFrame, nextTask));
const SLOTS = pageWide("slots", () => /** @type {Record<string, VegaSlot>} */ ({}));

// How many milliseconds a variant that was asked for here stays when the kernel, which may be busy,
// does not follow.
const PATIENCE = 3000;

// A factory: anywidget calls it once for each model, so that its views share this state.
export default () => {
  const state = new ChartState();
  /** @type {Set<ChartPlace>} */
  const places = new Set();
  /** @type {VegaSlot} */
  let slot;
  // Whether the kernel was asked for the chart and has not sent it yet.
  let asking = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let late;

  /** @param {boolean} changed */
  function refresh(changed) {
    if (changed) for (const place of places) place.refresh();
  }

  /** @param {string | null} name */
  function show(name) {
    clearTimeout(late);
    refresh(state.ask(name));
    if (state.asked !== null) late = setTimeout(() => show(null), PATIENCE);
  }

  /**
   * @param {Model} model
   * @param {any} message
   * @param {DataView<ArrayBuffer>[]} buffers
   */
  function receive(model, message, buffers) {
    if (message.type === "vega") slot.load(buffers[0]);
    else if (message.type === "select") refresh(state.select(message, PAGE.id));
    else refresh(state.receive(message));
    if (message.type === "draw") asking = false;
    askForMissing(model);
  }

  /** @param {Model} model */
  function askForMissing(model) {
    const vega = slot.wants(model.get("_kernel"));
    const ask = vega || (state.seq < 0 && !asking);
    if (state.seq < 0) asking = true;
    if (ask) model.send({ type: "ask", vega });
  }

  /**
   * The kernel closes a cell's chart that its cell has replaced once no place shows it.
   * @param {Model} model
   */
  function reportPlaces(model) {
    if (!model.get("_counted")) return;
    try {
      model.send({ type: "places", page: PAGE.id, count: places.size });
    } catch {
      // The place went because the kernel did: there is nobody to send it to.
    }
  }

  return {
    /** @param {{model: Model}} widget */
    initialize({ model }) {
      slot = SLOTS[model.get("_version")] ??= new VegaSlot(runModule);
      model.on("msg:custom", (message, buffers) => receive(model, message, buffers));
      // A chart made just now has its messages on the way; one restored after a reload has none.
      if (!model.get("_fresh")) askForMissing(model);
    },
    /** @param {{model: Model, el: HTMLElement}} widget */
    render({ model, el }) {
      el.classList.add("kis-chart");
      const place = new ChartPlace(el, state, slot, QUEUE, (ids) => {
        state.selected = ids;
        state.gesture = ++PAGE.gestures;
        refresh(true);
        model.send({ type: "select", ids, page: PAGE.id, number: state.gesture });
      });
      place.frame.addEventListener("kis-show-variant", (event) =>
        show(/** @type {CustomEvent<string>} */ (event).detail),
      );
      place.frame.addEventListener("kis-set-params", (event) =>
        place.setParams(/** @type {CustomEvent<Record<string, unknown>>} */ (event).detail),
      );
      let showSaved = () => {};
      const tell = () => model.get("_tells_drawn") && model.send({ type: "drawn" });
      place.onDrawn = () => {
        showSaved = hideSaved(model.get("_saved"));
        tell();
      };
      place.onFailed = tell;
      places.add(place);
      place.refresh();
      reportPlaces(model);
      return () => {
        places.delete(place);
        place.remove();
        showSaved();
        reportPlaces(model);
      };
    },
  };
};
