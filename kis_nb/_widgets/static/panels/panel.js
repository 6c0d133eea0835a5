// What all panels share: messages, and one state for all views of a model (`panels.py`).

import { saveFile } from "../shared/download.js";
import { PAGE } from "../shared/page.js";
import { hideSaved } from "../shared/saved.js";
import { PanelState } from "./panel_state.js";

/**
 * Sends what was done on the page to the kernel.
 * @typedef {(what: string, value?: unknown) => void} Act
 */

/**
 * One view of a panel.
 * @typedef {object} PanelView
 * @property {(parts: Record<string, any>, changed: Set<string>, skew: number) => void} update draws
 *   the parts; `changed` names those to draw anew, `skew` is the kernel's clock less this page's
 * @property {() => void} [remove]
 */

/**
 * The anywidget module of a panel.
 * @param {(el: HTMLElement, act: Act) => PanelView} draw builds a view in an element
 */
export function panel(draw) {
  return () => {
    const state = new PanelState();
    /** @type {Set<PanelView>} */
    const views = new Set();

    /**
     * @param {any} message
     * @param {DataView<ArrayBuffer>[]} buffers
     * @param {() => void} ask
     */
    function receive(message, buffers, ask) {
      if (message.type === "file") {
        if (message.page === PAGE.id) saveFile(message.name, message.mime, buffers[0]);
        return;
      }
      const taken = state.receive(message, Date.now() / 1000);
      if (taken.ask) ask();
      if (!taken.changed.size) return;
      for (const view of views) view.update(state.parts, taken.changed, state.skew);
    }

    return {
      /** @param {{model: import("../shared/page.js").Model}} widget */
      initialize({ model }) {
        const ask = () => model.send({ type: "ask" });
        model.on("msg:custom", (message, buffers) => receive(message, buffers, ask));
        if (!model.get("_fresh")) ask();
      },
      /** @param {{model: import("../shared/page.js").Model, el: HTMLElement}} widget */
      render({ model, el }) {
        const view = draw(el, (what, value = null) =>
          model.send({ type: "act", what, value, page: PAGE.id }),
        );
        views.add(view);
        const all = new Set(Object.keys(state.parts));
        if (state.seq >= 0) view.update(state.parts, all, state.skew);
        const showSaved = hideSaved(model.get("_saved") ?? "");
        return () => {
          showSaved();
          views.delete(view);
          view.remove?.();
        };
      },
    };
  };
}
