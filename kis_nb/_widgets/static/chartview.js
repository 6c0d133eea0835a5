// Draws one ChartView. Python sends `draw` (a Vega-Lite spec and its rows), `rows`, `offer` (variants
// of the rows, one of them to show), `select` and `vega` (the bundle, once a page) as custom messages,
// so that nothing of it is in a synced trait; this page sends `ask` when it holds nothing yet (after a
// reload) and `select` after a gesture.

// The page, and how many gestures it has seen: shared with the panels (`panel.js`).
const PAGE = (globalThis[Symbol.for("kis_nb.page")] ??= {
  id: Math.random().toString(36).slice(2),
  gestures: 0,
  views: 0,
});
// Shared by all charts of the page, of all kernels and all copies of this module.
const pages = (globalThis[Symbol.for("kis_nb.vega")] ??= {});

// The page's slot for one version of the bundle: a promise, whoever brings it.
function slotFor(version) {
  if (!pages[version]) {
    const slot = (pages[version] = { loading: false, asked: new Set() });
    slot.ready = new Promise((resolve, reject) => Object.assign(slot, { resolve, reject }));
    slot.ready.catch(() => {});
  }
  return pages[version];
}

async function load(slot, buffer) {
  if (slot.loading) return;
  slot.loading = true;
  const url = URL.createObjectURL(new Blob([buffer], { type: "text/javascript" }));
  try {
    slot.resolve(await import(/* webpackIgnore: true */ /* @vite-ignore */ url));
  } catch (error) {
    slot.reject(error);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// One chart a frame: when a click changes five of them, the first is on the screen while the others
// are still being worked out, in the order in which the kernel sent them.
function inTurn(slot, paint) {
  const before = slot.turn;
  const mine = (before ? before.then(shown) : Promise.resolve()).then(paint);
  const turn = mine.catch(() => {});
  slot.turn = turn;
  turn.then(() => {
    if (slot.turn === turn) slot.turn = null;
  });
  return mine;
}

// After the next frame is on the screen; a hidden tab has no frames, so it waits a moment only.
function shown() {
  return new Promise((done) => {
    const late = setTimeout(done, 50);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(done);
    });
  });
}

// Where the tooltip was shown last: {frame, x, y}.
let tip = null;

// New rows may say something else of the mark under a mouse that rests: the tooltip goes, and comes
// back with what is there now.
function renewTip(frame) {
  const box = document.getElementById("kis-tip");
  if (!box || tip?.frame !== frame) return;
  box.remove();
  const under = document.elementFromPoint(tip.x, tip.y);
  if (!frame.contains(under)) return;
  const place = { clientX: tip.x, clientY: tip.y, bubbles: true };
  under.dispatchEvent(new PointerEvent("pointermove", place));
}

// One tooltip for the page, in the theme's colours. Text only: names come from the wire.
function tooltip(handler, event, item, value) {
  let box = document.getElementById("kis-tip");
  if (value == null || value === "") {
    box?.remove();
    return;
  }
  if (!box) {
    box = document.body.appendChild(document.createElement("div"));
    box.id = "kis-tip";
  }
  const lines = typeof value === "object" ? Object.entries(value) : [["", value]];
  box.replaceChildren(
    ...lines
      .filter(([, text]) => text != null && text !== "" && text !== "null")
      .flatMap(([name, text]) => {
        const [key, figure] = [document.createElement("span"), document.createElement("b")];
        [key.textContent, figure.textContent] = [name, String(text)];
        return [key, figure];
      }),
  );
  tip = { frame: event.target?.closest?.(".kis-chart-frame"), x: event.clientX, y: event.clientY };
  const { width, height } = box.getBoundingClientRect();
  const x = event.clientX + 14 + width > innerWidth ? event.clientX - 14 - width : event.clientX + 14;
  const y = event.clientY + 14 + height > innerHeight ? event.clientY - 14 - height : event.clientY + 14;
  box.style.left = `${Math.max(x, 0)}px`;
  box.style.top = `${Math.max(y, 0)}px`;
}

// Advice on style ("infinite extent", "fit with a step") is no news to a trader's console.
const silent = () => LOGGER;
const LOGGER = {
  level: silent,
  error: (...args) => (console.error(...args), LOGGER),
  warn: silent,
  info: silent,
  debug: silent,
};
// Vega keeps the marks of all rows that ever were, some 25 kB an update, in joins and axes that
// nothing can be told to sweep. After this many updates a fresh view takes over, unseen.
const ENOUGH = 100;
const EMBED = { actions: false, defaultStyle: false, renderer: "svg", tooltip, logger: LOGGER };

// How long a variant that was turned to here stays when the kernel, which may be busy, says nothing.
const PATIENCE = 3000;

function hasSignal(spec, name) {
  return (spec.params ?? []).some((param) => param.name === name);
}

// One place on the page where the chart of `state` shows.
class Place {
  constructor(el, state, slot, send, turn) {
    Object.assign(this, { el, state, slot, send, view: null, stage: null, drawn: -1, filled: -1 });
    this.frame = el.appendChild(document.createElement("div"));
    this.frame.className = "kis-chart-frame";
    this.frame.addEventListener("kis-turn", (event) => turn(event.detail));
    this.onResize = new ResizeObserver(() => this.refresh());
    this.onResize.observe(this.frame);
    this.lasso();
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
        // What a click here asked for does not queue behind what the one before set going.
        if (this.state.asked != null) await this.paint(vega);
        else await inTurn(this.slot, () => this.paint(vega));
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.busy = false;
    }
  }

  async paint({ vegaEmbed }) {
    const { state, frame } = this;
    const width = frame.clientWidth;
    // In a hidden tab there is no width yet; the observer calls again when there is.
    if (!state.spec || !width || this.gone) return;
    const { drawn, rows, picked } = state;
    if (this.drawn !== drawn || this.fills >= ENOUGH) {
      await this.build(vegaEmbed, state);
    } else {
      if (this.filled !== rows) {
        this.fill(this.view);
        await this.view.runAsync();
        // The new labels may be longer; in the run that brings them the old ones still take room.
        if (this.fluid) this.view.resize();
      }
      const resized = this.fluid && this.width !== width;
      // Forced, since the signal holds the plot's own width by now, which the new one may equal.
      if (resized) this.view.signal("width", width, { force: true });
      if (this.picks) this.view.signal("picked", picked);
      await this.view.runAsync();
      // What stands in one line or two by the width takes its room in the run after.
      if (resized) await this.view.resize().runAsync();
    }
    const renewed = this.filled !== rows;
    Object.assign(this, { drawn, filled: rows, width });
    if (renewed) renewTip(frame);
  }

  fill(view) {
    this.fills += 1;
    const fresh = this.state.spec.usermeta?.fresh;
    const mark = this.fills % 2 ? "\u200b" : "";
    for (const [name, rows] of Object.entries(this.state.rows)) {
      try {
        view.data(name);
      } catch {
        continue; // Vega-Lite leaves out a dataset that no mark uses.
      }
      // Copied, because Vega writes into the rows it is given and another place shows them too.
      view.data(
        name,
        rows.map((row) => (fresh in row ? { ...row, [fresh]: mark + row[fresh] } : { ...row })),
      );
    }
  }

  // The new chart is finished out of sight and then put in the old one's place: no blank frame.
  async build(vegaEmbed, state) {
    const spec = structuredClone(state.spec);
    spec.datasets = structuredClone(state.rows);
    // Vega measures labels on a canvas, which knows no CSS variables: the font is given resolved.
    spec.config = { font: getComputedStyle(this.frame).fontFamily, ...spec.config };
    const stage = document.createElement("div");
    stage.className = "kis-chart-stage kis-chart-waiting";
    this.frame.appendChild(stage);
    let view;
    try {
      ({ view } = await vegaEmbed(stage, spec, EMBED));
      this.picks = hasSignal(spec, "picked");
      this.fluid = spec.width === "container";
      if (this.picks) {
        view.addEventListener("click", (event, item) => this.click(event, item));
        view.signal("picked", state.picked);
      }
      if (this.fluid) view.resize();
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
    this.frame.classList.toggle("kis-chart-picks", this.picks);
    Object.assign(this, { stage, view, fills: 0 });
  }

  fail(error) {
    const note = document.createElement("div");
    note.className = "kis-chart-fault";
    note.setAttribute("role", "alert");
    note.textContent = `The chart could not be drawn: ${error?.message ?? error}`;
    this.frame.querySelector(".kis-chart-fault")?.remove();
    this.frame.appendChild(note);
  }

  click(event, item) {
    if (this.dragged) return;
    const id = item?.datum?.id;
    const old = this.state.picked;
    const add = event.ctrlKey || event.metaKey || event.shiftKey;
    if (!id) this.pick(add ? old : []);
    else if (add) this.pick(old.includes(id) ? old.filter((one) => one !== id) : [...old, id]);
    else this.pick(old.length === 1 && old[0] === id ? [] : [id]);
  }

  // Brushing: a rectangle drawn with the mouse picks every mark it touches, then goes away.
  lasso() {
    let from = null;
    let box = null;
    const signal = (this.ended = new AbortController()).signal;
    const spot = (event) => {
      const frame = this.frame.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    this.frame.addEventListener(
      "pointerdown",
      (event) => {
        this.dragged = false;
        from = this.picks && event.button === 0 && event.pointerType === "mouse" ? spot(event) : null;
      },
      { signal },
    );
    addEventListener(
      "pointermove",
      (event) => {
        if (!from) return;
        const to = spot(event);
        if (!box && Math.hypot(to[0] - from[0], to[1] - from[1]) < 6) return;
        if (!box) {
          this.dragged = true;
          box = this.frame.appendChild(document.createElement("div"));
          box.className = "kis-chart-lasso";
        }
        const [left, top] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
        const size = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
        Object.assign(box.style, {
          left: `${left}px`,
          top: `${top}px`,
          width: `${size[0]}px`,
          height: `${size[1]}px`,
        });
        event.preventDefault();
      },
      { signal },
    );
    addEventListener(
      "pointerup",
      () => {
        if (box) {
          const area = box.getBoundingClientRect();
          const touched = [...this.stage.querySelectorAll("[aria-roledescription]")]
            .filter((mark) => mark.__data__?.datum?.id && meets(mark.getBoundingClientRect(), area))
            .map((mark) => mark.__data__.datum.id);
          box.remove();
          this.pick([...new Set(touched)]);
        }
        from = box = null;
      },
      { signal },
    );
  }

  pick(ids) {
    if (JSON.stringify(ids) === JSON.stringify(this.state.picked)) return;
    this.send({ type: "select", ids, page: PAGE.id, number: ++PAGE.gestures });
  }

  remove() {
    this.gone = true;
    this.ended.abort();
    this.onResize.disconnect();
    this.view?.finalize();
    document.getElementById("kis-tip")?.remove();
    this.frame.remove();
  }
}

function meets(a, b) {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

// A factory: anywidget calls it once for each model, so that its views share this state.
export default () => {
  const state = { seq: -1, drawn: 0, rows: {}, picked: [], gesture: 0, spec: null, variants: {}, said: "" };
  const places = new Set();
  let slot;
  let late;
  const refresh = () => places.forEach((place) => place.refresh());

  // Shows what a click here asked for, and otherwise what the kernel said last.
  function settle() {
    const variant = state.variants[state.asked] ?? state.variants[state.said];
    if (!variant || variant === state.variant) return;
    Object.assign(state, { variant, rows: { ...state.rows, ...variant } });
    refresh();
  }

  function turn(name) {
    clearTimeout(late);
    state.asked = name in state.variants && name !== state.said ? name : null;
    if (state.asked) late = setTimeout(() => turn(null), PATIENCE);
    settle();
  }

  function take(content) {
    if (content.type === "draw") {
      const { spec, seq, ids, rows, shown } = content;
      const variants = { ...content.variants, [shown]: rows };
      Object.assign(state, { spec, rows, variants, drawn: seq, picked: ids, variant: rows });
      refresh();
    } else if (content.type === "offer") {
      const held = content.names.map((name) => [name, content.variants[name] ?? state.variants[name]]);
      state.variants = Object.fromEntries(held);
    } else {
      state.rows = { ...state.rows, ...content.rows };
      state.variants = { ...state.variants, [state.said]: (state.variant = state.rows) };
      refresh();
    }
    state.said = content.shown ?? state.said;
    if (state.asked === state.said || !(state.asked in state.variants)) state.asked = null;
    settle();
  }

  function hear(model, content, buffers) {
    if (content.type === "vega") {
      load(slot, buffers[0]);
    } else if (content.type === "select") {
      // A later gesture here is on its way: what it overtook would undo it for a moment.
      if (content.page === PAGE.id && content.number < state.gesture) return;
      state.picked = content.ids;
      refresh();
    } else if (content.seq > state.seq) {
      state.seq = content.seq;
      take(content);
    }
    need(model);
  }

  // One ask for each kernel: any of its charts can bring the bundle.
  function need(model) {
    const kernel = model.get("_kernel");
    const vega = !slot.loading && !slot.asked.has(kernel);
    if (vega) slot.asked.add(kernel);
    if (vega || state.seq < 0) model.send({ type: "ask", vega });
  }

  // The kernel closes a cell's chart that its cell has replaced once no place shows it.
  function count(model) {
    if (!model.get("_counted")) return;
    try {
      model.send({ type: "places", page: PAGE.id, count: places.size });
    } catch {
      // The place went because the kernel did, and there is nobody to tell.
    }
  }

  return {
    initialize({ model }) {
      slot = slotFor(model.get("_version"));
      model.on("msg:custom", (content, buffers) => hear(model, content, buffers));
      // A chart made just now has its messages on the way; one restored after a reload has none.
      if (!model.get("_fresh")) need(model);
    },
    render({ model, el }) {
      el.classList.add("kis-chart");
      const pick = (content) => {
        [state.picked, state.gesture] = [content.ids, content.number];
        refresh();
        model.send(content);
      };
      const place = new Place(el, state, slot, pick, turn);
      places.add(place);
      place.refresh();
      count(model);
      return () => {
        places.delete(place);
        place.remove();
        count(model);
      };
    },
  };
};
