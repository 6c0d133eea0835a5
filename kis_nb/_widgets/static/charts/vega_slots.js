// Vega's source, which the kernel sends once for each page and version: about 900 kB.

/**
 * @typedef {{vegaEmbed: (el: HTMLElement, spec: object, options: object) => Promise<{view: any}>}} Vega
 */

/**
 * The page's place for one version of Vega. Charts wait for `ready`, whichever chart's message
 * brings it; `asked` names the kernels that were asked for it.
 */
export class VegaSlot {
  /** @param {(source: DataView<ArrayBuffer>) => Promise<Vega>} run */
  constructor(run) {
    this.run = run;
    this.loading = false;
    /** @type {Set<string>} */
    this.asked = new Set();
    /** @type {PromiseWithResolvers<Vega>} */
    this.loaded = Promise.withResolvers();
    this.ready = this.loaded.promise;
    // Charts report the failure; without one on the page nobody has to.
    this.ready.catch(() => {});
  }

  /**
   * Run the source; only the first one that comes.
   * @param {DataView<ArrayBuffer>} source
   */
  async load(source) {
    if (this.loading) return;
    this.loading = true;
    try {
      this.loaded.resolve(await this.run(source));
    } catch (error) {
      this.loaded.reject(error);
    }
  }

  /**
   * Whether to ask this kernel for the source. One ask for each kernel: any of its charts can bring
   * it.
   * @param {string} kernel
   */
  wants(kernel) {
    if (this.loading || this.asked.has(kernel)) return false;
    this.asked.add(kernel);
    return true;
  }
}

/**
 * Run a module's source.
 * @param {DataView<ArrayBuffer>} source
 * @returns {Promise<Vega>}
 */
export async function runModule(source) {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
