// The little of a page that the element builder uses.

export class FakeNode {
  constructor(text = "") {
    this.textContent = text;
  }
}

export class FakeElement extends FakeNode {
  /** @param {string} tag */
  constructor(tag) {
    super();
    this.tag = tag;
    this.className = "";
    /** @type {Record<string, string>} */
    this.attributes = {};
    /** @type {Record<string, unknown>} */
    this.listeners = {};
    /** @type {(FakeNode | string)[]} */
    this.children = [];
  }

  /** @param {(FakeNode | string)[]} parts */
  append(...parts) {
    this.children.push(...parts);
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  /** @param {string} name @param {unknown} listener */
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
}

/** Make `document.createElement` and `Node` the fakes. */
export function fakePage() {
  const createElement = (/** @type {string} */ tag) => new FakeElement(tag);
  Object.assign(globalThis, { Node: FakeNode, document: { createElement } });
}
