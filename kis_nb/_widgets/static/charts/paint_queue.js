// When a click changes five charts, the first is on the screen while the others are still being
// worked out: one chart is painted a frame.

/** @typedef {{paint: () => Promise<void>, isUrgent: () => boolean, done: PromiseWithResolvers<void>}} Job */

export class PaintQueue {
  /** @param {() => Promise<void>} nextFrame resolves when the next frame is on the screen */
  constructor(nextFrame) {
    this.nextFrame = nextFrame;
    /** @type {Job[]} */
    this.waiting = [];
    this.running = false;
  }

  /**
   * Paint after those that were added before, unless this one is urgent.
   * @param {() => Promise<void>} paint
   * @param {() => boolean} isUrgent whether it goes before those that are not; called before each paint
   * @returns {Promise<void>} settles as `paint` does
   */
  add(paint, isUrgent) {
    /** @type {PromiseWithResolvers<void>} */
    const done = Promise.withResolvers();
    this.waiting.push({ paint, isUrgent, done });
    if (!this.running) this.work();
    return done.promise;
  }

  async work() {
    this.running = true;
    while (this.waiting.length) {
      const urgent = this.waiting.findIndex((job) => job.isUrgent());
      const [job] = this.waiting.splice(Math.max(urgent, 0), 1);
      try {
        await job.paint();
        job.done.resolve();
      } catch (error) {
        job.done.reject(error);
      }
      if (this.waiting.length) await this.nextFrame();
    }
    this.running = false;
  }
}

/**
 * After the next frame is on the screen; a hidden tab has no frames, so it waits a moment only.
 * @returns {Promise<void>}
 */
export function nextFrame() {
  return new Promise((done) => {
    const late = setTimeout(done, 50);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(done);
    });
  });
}
