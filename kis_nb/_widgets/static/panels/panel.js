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
 * @property {() => void} [gone] the kernel is gone: nothing is answered until the next `update`
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
    let gone = false;

    /**
     * Send to the kernel. After a restart, or when it has died, there is nobody to send to.
     * @param {import("../shared/page.js").Model} model
     * @param {object} content
     */
    function send(model, content) {
      try {
        model.send(content);
      } catch {
        gone = true;
        for (const view of views) view.gone?.();
      }
    }

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
      gone = false;
      if (taken.ask) ask();
      if (!taken.changed.size) return;
      for (const view of views) view.update(state.parts, taken.changed, state.skew);
    }

    return {
      /** @param {{model: import("../shared/page.js").Model}} widget */
      initialize({ model }) {
        const ask = () => send(model, { type: "ask" });
        model.on("msg:custom", (message, buffers) => receive(message, buffers, ask));
        // It tells neither way; by the next task what was closed with the kernel refuses a message.
        model.on("comm_live_update", () => setTimeout(ask));
        if (!model.get("_fresh")) ask();
      },
      /** @param {{model: import("../shared/page.js").Model, el: HTMLElement}} widget */
      render({ model, el }) {
        const view = draw(el, (what, value = null) =>
          send(model, { type: "act", what, value, page: PAGE.id }),
        );
        views.add(view);
        const all = new Set(Object.keys(state.parts));
        if (state.seq >= 0) view.update(state.parts, all, state.skew);
        if (gone) view.gone?.();
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
