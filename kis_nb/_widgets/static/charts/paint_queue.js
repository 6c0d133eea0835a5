// A click changes five charts. The first is on the screen before the others are worked out; those
// follow without waiting for a frame each, which takes long on a busy machine, but let clicks and
// messages in between.

/** @typedef {{paint: () => Promise<void>, isUrgent: () => boolean, done: PromiseWithResolvers<void>}} Job */

export class PaintQueue {
  /**
   * @param {() => Promise<void>} nextFrame resolves when the next frame is on the screen
   * @param {() => Promise<void>} nextTask resolves when clicks and messages that wait were handled
   */
  constructor(nextFrame, nextTask) {
    this.nextFrame = nextFrame;
    this.nextTask = nextTask;
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
    let isFirst = true;
    while (this.waiting.length) {
      const urgent = this.waiting.findIndex((job) => job.isUrgent());
      const [job] = this.waiting.splice(Math.max(urgent, 0), 1);
      try {
        await job.paint();
        job.done.resolve();
      } catch (error) {
        job.done.reject(error);
      }
      if (!this.waiting.length) break;
      await (isFirst ? this.nextFrame() : this.nextTask());
      isFirst = false;
    }
    this.running = false;
  }
}

/**
 * After what waits now.
 * @returns {Promise<void>}
 */
export function nextTask() {
  return new Promise((done) => setTimeout(done));
}

/**
 * After the next frame is on the screen, and after what else waits for that frame; a hidden tab has
 * no frames, so it waits a moment only.
 * @returns {Promise<void>}
 */
export function nextFrame() {
  return new Promise((done) => {
    const late = setTimeout(done, 50);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(() => setTimeout(done));
    });
  });
}
