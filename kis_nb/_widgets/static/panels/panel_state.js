// What a panel shows, without the page: named parts, each plain JSON, and what messages do to them.

/**
 * @typedef {object} PartsMessage
 * @property {"parts" | "all"} type some parts, or all there are, which answers an `ask`
 * @property {number} seq counted up by the kernel, over both types
 * @property {number} now the kernel's clock, in seconds
 * @property {Record<string, any>} parts
 */

export class PanelState {
  constructor() {
    this.seq = -1;
    /** @type {Record<string, any>} */
    this.parts = {};
    /** The kernel's clock less this page's, in seconds: the page's may be wrong. */
    this.skew = 0;
  }

  /**
   * Take a message.
   * @param {PartsMessage} message
   * @param {number} now this page's clock, in seconds
   * @returns {{ask: boolean, changed: Set<string>}} whether to ask the kernel for all parts, because
   *   a message before this one was lost or is late; and the names of the parts that changed
   */
  receive(message, now) {
    const nothing = { ask: false, changed: new Set() };
    if (message.seq <= this.seq) return nothing;
    // A page that opened late has had none, and knows only that the first one has the number 1.
    const next = this.seq < 0 ? 1 : this.seq + 1;
    if (message.type !== "all" && message.seq > next) return { ...nothing, ask: true };
    this.seq = message.seq;
    this.skew = message.now - now;
    this.parts = message.type === "all" ? message.parts : { ...this.parts, ...message.parts };
    return { ask: false, changed: new Set(Object.keys(message.parts)) };
  }
}
