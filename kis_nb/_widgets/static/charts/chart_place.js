// One place on the page where a chart shows.

import { h } from "../shared/elements.js";
import { adds, toggle } from "../shared/selection.js";
import { overlaps, watchBrush } from "./brush.js";
import { knownParams } from "./chart_state.js";
import { nextFrame } from "./paint_queue.js";
import { hideTooltip, renewTooltip, showTooltip } from "./tooltip.js";

/**
 * @typedef {import("./chart_state.js").ChartState} ChartState
 * @typedef {import("./paint_queue.js").PaintQueue} PaintQueue
 * @typedef {import("./vega_slots.js").Vega} Vega
 * @typedef {import("./vega_slots.js").VegaSlot} VegaSlot
 */

// Vega keeps the marks of all rows it ever had, some 25 kB an update, in joins and axes that cannot be
// emptied. After this many updates a new view replaces the old one, out of sight.
const MOST_UPDATES = 100;

// Advice on style ("infinite extent", "fit with a step") does not belong in a trader's console.
const quiet = () => LOGGER;
const LOGGER = {
  level: quiet,
  error: (/** @type {unknown[]} */ ...words) => {
    console.error(...words);
    return LOGGER;
  },
  warn: quiet,
  info: quiet,
  debug: quiet,
};
const EMBED = {
  actions: false,
  defaultStyle: false,
  renderer: "svg",
  tooltip: showTooltip,
  logger: LOGGER,
};

/**
 * The rows for Vega, copied, because Vega writes into the rows it is given and another place shows
 * them too.
 *
 * Vega leaves a line of an axis that is there before and after where it was, whatever the new order;
 * so in every other set of rows the field `fresh` gets a mark of no width, which makes each line a
 * new one.
 * @param {Record<string, any>[]} rows
 * @param {string | undefined} fresh
 * @param {number} updates how many sets of rows the view has had
 */
export function rowsForVega(rows, fresh, updates) {
  const mark = updates % 2 ? "\u200b" : "";
  return rows.map((row) =>
    fresh !== undefined && fresh in row ? { ...row, [fresh]: mark + row[fresh] } : { ...row },
  );
}

export class ChartPlace {
  /**
   * @param {HTMLElement} el
   * @param {ChartState} state
   * @param {VegaSlot} slot
   * @param {PaintQueue} queue
   * @param {(ids: string[]) => void} onSelect what a click or a drag here selects
   */
  constructor(el, state, slot, queue, onSelect) {
    this.state = state;
    this.slot = slot;
    this.queue = queue;
    this.onSelect = onSelect;
    /** Called once, when the chart has been drawn. */
    this.onDrawn = () => {};
    /** Called when it could not be drawn. */
    this.onFailed = () => {};
    /** @type {any} */
    this.view = null;
    /** @type {HTMLElement | null} */
    this.stage = null;
    this.drawn = -1;
    /** @type {object | null} */
    this.filled = null;
    /** Values of the spec's parameters that this place chose, by name, and those that are painted. */
    this.params = this.painted = {};
    this.width = 0;
    this.updates = 0;
    this.selectable = this.fluid = this.again = this.busy = this.gone = false;
    this.frame = h("div.kis-chart-frame");
    el.append(this.frame);
    this.ended = new AbortController();
    this.dragged = watchBrush(
      this.frame,
      this.ended.signal,
      () => this.selectable,
      (area) => this.brushed(area),
    );
    this.onResize = new ResizeObserver(() => this.refresh());
    this.onResize.observe(this.frame);
  }

  // Coalesces: however often it is called, one paint runs at a time and the last state is painted.
  async refresh() {
    this.again = true;
    if (this.busy || this.gone) return;
    this.busy = true;
    try {
      while (this.again && !this.gone) {
        this.again = false;
        const vega = await this.slot.ready;
        // What came with the chart, as a dashboard's head line, is on the screen before the work.
        if (this.drawn < 0) await nextFrame();
        // Charts that follow one slider do so in the same frame; they take a few milliseconds each.
        if (this.onlyMoved()) await this.paint(vega);
        else
          await this.queue.add(
            () => this.paint(vega),
            () => this.state.asked !== null,
          );
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.busy = false;
    }
  }

  /** Whether nothing has changed here but parameters. */
  onlyMoved() {
    const { state } = this;
    const same = this.drawn === state.drawn && this.filled === state.rows;
    return same && this.width === this.frame.clientWidth && this.params !== this.painted;
  }

  /** @param {Vega} vega */
  async paint({ vegaEmbed }) {
    const { state, frame } = this;
    const width = frame.clientWidth;
    // In a hidden tab there is no width yet; the observer calls again when there is.
    if (!state.spec || !width || this.gone) return;
    const { drawn, rows, selected } = state;
    const { params } = this;
    if (this.drawn !== drawn || this.updates >= MOST_UPDATES) {
      await this.build(vegaEmbed, state.spec);
    } else {
      if (this.filled !== rows) {
        this.fill();
        await this.view.runAsync();
        // The new labels may be longer; in the run that brings them the old ones still have their
        // width.
        if (this.fluid) this.view.resize();
      }
      const resized = this.fluid && this.width !== width;
      // Forced, since the signal holds the plot's own width by now, which the new one may equal.
      if (resized) this.view.signal("width", width, { force: true });
      if (this.selectable) this.view.signal("picked", selected);
      if (this.painted !== params) this.applyParams();
      await this.view.runAsync();
      // A heading that takes one line or two by the width gets its height in the run after.
      if (resized) await this.view.resize().runAsync();
    }
    this.silenceEmpty();
    const renewed = this.filled !== rows;
    const first = this.drawn < 0;
    Object.assign(this, { drawn, filled: rows, width, painted: params });
    if (renewed) renewTooltip(frame);
    if (first && !this.gone) this.onDrawn();
  }

  /** Vega makes a symbol without a name of a layer that has no mark, for screen readers. */
  silenceEmpty() {
    for (const layer of this.stage?.querySelectorAll("g.role-mark[role]:empty") ?? [])
      layer.removeAttribute("role");
  }

  /**
   * Set parameters of the spec here, and in every chart that is drawn here later.
   * @param {Record<string, unknown>} params values by name; a spec that has none of them ignores them
   */
  setParams(params) {
    this.params = params;
    this.refresh();
  }

  applyParams() {
    for (const [name, value] of knownParams(this.state.spec, this.params))
      this.view.signal(name, value);
  }

  fill() {
    this.updates += 1;
    const fresh = this.state.spec?.usermeta?.fresh;
    for (const [name, rows] of Object.entries(this.state.rows)) {
      try {
        this.view.data(name);
      } catch {
        continue; // Vega-Lite leaves out a dataset that no mark uses.
      }
      this.view.data(name, rowsForVega(rows, fresh, this.updates));
    }
  }

  /**
   * The new chart is finished out of sight and then put in the old one's place: no blank frame.
   * @param {Vega["vegaEmbed"]} vegaEmbed
   * @param {Record<string, any>} spec
   */
  async build(vegaEmbed, spec) {
    const whole = structuredClone(spec);
    whole.datasets = structuredClone(this.state.rows);
    // Vega measures labels on a canvas, which knows no CSS variables: the font is given resolved.
    whole.config = { font: getComputedStyle(this.frame).fontFamily, ...whole.config };
    const stage = h("div.kis-chart-stage.kis-chart-waiting");
    this.frame.append(stage);
    const selectable = (spec.params ?? []).some(
      (/** @type {{name: string}} */ param) => param.name === "picked",
    );
    const fluid = spec.width === "container";
    let view;
    try {
      ({ view } = await vegaEmbed(stage, whole, EMBED));
      if (selectable) {
        view.addEventListener("click", (/** @type {MouseEvent} */ event, /** @type {any} */ item) =>
          this.clicked(event, item?.datum?.id ?? null),
        );
        view.signal("picked", this.state.selected);
      }
      for (const [name, value] of knownParams(spec, this.params)) view.signal(name, value);
      if (fluid) view.resize();
      await view.runAsync();
    } catch (error) {
      view?.finalize();
      stage.remove();
      throw error;
    }
    if (this.gone) return view.finalize();
    stage.classList.remove("kis-chart-waiting");
    this.stage?.remove();
    this.view?.finalize();
    this.frame.querySelector(".kis-chart-fault")?.remove();
    this.frame.classList.toggle("kis-chart-selectable", selectable);
    Object.assign(this, { stage, view, selectable, fluid, updates: 0 });
  }

  /** @param {unknown} error */
  fail(error) {
    const reason = error instanceof Error ? error.message : String(error);
    this.frame.querySelector(".kis-chart-fault")?.remove();
    this.frame.append(
      h("div.kis-chart-fault", { role: "alert" }, `The chart could not be drawn: ${reason}`),
    );
    this.onFailed();
  }

  /**
   * @param {MouseEvent} event
   * @param {string | null} id of the mark, null beside all marks
   */
  clicked(event, id) {
    if (!this.dragged()) this.select(toggle(this.state.selected, id, adds(event)));
  }

  /** @param {DOMRect} area every mark that it touches is selected */
  brushed(area) {
    const marks = this.stage?.querySelectorAll("[aria-roledescription]") ?? [];
    const touched = [...marks]
      .map((mark) => ({ mark, id: /** @type {any} */ (mark).__data__?.datum?.id }))
      .filter(({ mark, id }) => id && overlaps(mark.getBoundingClientRect(), area));
    this.select([...new Set(touched.map(({ id }) => id))]);
  }

  /** @param {string[]} ids */
  select(ids) {
    if (JSON.stringify(ids) !== JSON.stringify(this.state.selected)) this.onSelect(ids);
  }

  remove() {
    this.gone = true;
    this.ended.abort();
    this.onResize.disconnect();
    this.view?.finalize();
    hideTooltip();
    this.frame.remove();
  }
}
