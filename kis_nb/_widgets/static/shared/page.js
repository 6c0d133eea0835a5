// What all widgets of kis_nb on one page share, whichever kernel and cell they come from.

/**
 * A widget's model, as anywidget hands it over.
 * @typedef {object} Model
 * @property {(name: string) => any} get a synced trait
 * @property {(content: object) => void} send sends a custom message to the kernel
 * @property {(event: "msg:custom" | "comm_live_update", handler: (content: any, buffers: DataView<ArrayBuffer>[]) => void) => void} on
 */

/**
 * The object of this name, made by the first widget that asks. Each widget has a copy of this
 * module of its own, so a module's variable would not be shared.
 * @template T
 * @param {string} name
 * @param {() => T} make
 * @returns {T}
 */
export function pageWide(name, make) {
  const all = /** @type {Record<symbol, any>} */ (globalThis);
  const key = Symbol.for(`kis_nb.${name}`);
  all[key] ??= make();
  return all[key];
}

/**
 * `id` names this page to the kernel; `gestures` counts the selections made on it, over all charts
 * and tables; `views` counts the dashboards that it has shown.
 * @type {{id: string, gestures: number, views: number}}
 */
export const PAGE = pageWide("page", () => ({
  id: Math.random().toString(36).slice(2),
  gestures: 0,
  views: 0,
}));
