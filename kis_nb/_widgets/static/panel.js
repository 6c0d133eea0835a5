// What all panels share: messages, one state for all views of a model, and text nodes only. The
// panel's own script follows in the same module and ends in `export default panel(…)`.

// The page, and how many gestures it has seen: shared with the charts (`chartview.js`).
const PAGE = (globalThis[Symbol.for("kis_nb.page")] ??= {
  id: Math.random().toString(36).slice(2),
  gestures: 0,
  views: 0,
});

// h("b.name", {title: "…"}, "text", child): an element. Strings become text nodes, never markup.
function h(name, ...parts) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const part of parts.flat()) {
    if (part == null || part === false) continue;
    if (part instanceof Node || typeof part === "string") made.append(part);
    else
      for (const [key, value] of Object.entries(part)) {
        if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
        else if (value != null && value !== false) made.setAttribute(key, value === true ? "" : value);
      }
  }
  return made;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function save(name, mime, content) {
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// `draw(el, act)` builds a view and gives {update(parts, changed, skew), remove?()}.
function panel(draw) {
  return () => {
    const state = { seq: -1, parts: {}, skew: 0 };
    const views = new Set();

    function hear(content, buffers, ask) {
      if (content.type === "file") {
        if (content.page === PAGE.id) save(content.name, content.mime, buffers[0]);
        return;
      }
      // A part that was sent before this page listened is lost: ask for all.
      const whole = content.type === "all";
      if (!whole && content.seq !== state.seq + 1 && state.seq >= 0) return ask();
      if (content.seq <= state.seq) return;
      if (!whole && state.seq < 0 && content.seq > 1) return ask();
      state.seq = content.seq;
      state.skew = content.now - Date.now() / 1000;
      state.parts = whole ? content.parts : { ...state.parts, ...content.parts };
      const changed = new Set(Object.keys(content.parts));
      views.forEach((view) => view.update(state.parts, changed, state.skew));
    }

    return {
      initialize({ model }) {
        const ask = () => model.send({ type: "ask" });
        model.on("msg:custom", (content, buffers) => hear(content, buffers, ask));
        if (!model.get("_fresh")) ask();
      },
      render({ model, el }) {
        const act = (what, value = null) => model.send({ type: "act", what, value, page: PAGE.id });
        const view = draw(el, act);
        views.add(view);
        if (state.seq >= 0) view.update(state.parts, new Set(Object.keys(state.parts)), state.skew);
        return () => {
          views.delete(view);
          view.remove?.();
        };
      },
    };
  };
}
