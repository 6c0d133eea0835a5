import { h } from "./elements.js";

/**
 * Have the browser save a file.
 * @param {string} name
 * @param {string} mime
 * @param {BlobPart} content
 */
export function saveFile(name, mime, content) {
  const url = URL.createObjectURL(new Blob([content], { type: mime }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
