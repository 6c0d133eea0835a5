// HTML elements from plain text. Product names come from the network: nothing is read as markup.

/** @typedef {Node | string | null | undefined | false | Record<string, any>} Part */

/**
 * An element: `h("b.name", {title: "…"}, "text", child)`. Strings become text nodes. An object's
 * entries are attributes, or event listeners when the name starts with "on"; true is an attribute
 * without a value; null, undefined and false are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag | `${Tag}.${string}`} name the tag, and its classes after dots
 * @param {...(Part | Part[])} parts
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(name, ...parts) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(/** @type {Tag} */ (tag));
  if (classes.length) made.className = classes.join(" ");
  for (const part of parts.flat()) {
    if (part == null || part === false) continue;
    if (part instanceof Node || typeof part === "string") made.append(part);
    else
      for (const [key, value] of Object.entries(part)) {
        if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
        else if (value != null && value !== false)
          made.setAttribute(key, value === true ? "" : value);
      }
  }
  return made;
}

/**
 * Set a node's text, if it is another: an unchanged one is not laid out again.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
