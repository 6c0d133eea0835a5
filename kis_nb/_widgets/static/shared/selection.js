// Which positions are selected after a click, and which message of the kernel is out of date.

/**
 * The selection after a click.
 * @param {string[]} selected ids before it
 * @param {string | null} id of what was clicked; null beside all marks
 * @param {boolean} add whether Ctrl, Cmd or Shift was held: adds or removes this one alone
 * @returns {string[]}
 */
export function toggle(selected, id, add) {
  if (!id) return add ? selected : [];
  if (add) return selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id];
  return selected.length === 1 && selected[0] === id ? [] : [id];
}

/**
 * Whether a click is to add to the selection.
 * @param {{ctrlKey: boolean, metaKey: boolean, shiftKey: boolean}} event
 */
export function adds(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

/**
 * Whether the kernel's message is about an earlier selection of this page than its last one: taking
 * it would undo the last one until the kernel has received that too.
 * @param {{page?: string | null, number: number}} message
 * @param {string} here this page's id
 * @param {number} latest number of the last selection made here
 */
export function isOvertaken(message, here, latest) {
  return message.page === here && message.number < latest;
}
