// The dashboard's charts as one PNG.

import { h } from "../shared/elements.js";

const MARGIN = 16;
const GAP = 24;
const TITLE_HEIGHT = 48;
const BOTTOM = 8;
const SCALE = 2; // pixels of the file for a pixel of the page
const STYLES = ["fill", "stroke", "font-family", "font-size", "font-weight", "opacity"];

/**
 * How large the PNG is, and the upper edge of each chart in it, one below the other.
 * @param {{width: number, height: number}[]} charts
 */
export function stack(charts) {
  let y = TITLE_HEIGHT;
  const tops = charts.map(({ height }) => {
    const top = y;
    y += height + GAP;
    return top;
  });
  return {
    tops,
    width: Math.max(...charts.map((chart) => chart.width)) + 2 * MARGIN,
    height: y + BOTTOM,
  };
}

/**
 * A copy of a chart that needs no CSS: every colour and font is written into it.
 * @param {SVGElement} svg
 */
function selfContained(svg) {
  const copy = /** @type {SVGElement} */ (svg.cloneNode(true));
  /** @type {NodeListOf<SVGElement>} */
  const inside = copy.querySelectorAll("*");
  const copies = [copy, ...inside];
  for (const [at, node] of [svg, ...svg.querySelectorAll("*")].entries()) {
    const style = getComputedStyle(node);
    for (const name of STYLES) copies[at].style.setProperty(name, style.getPropertyValue(name));
  }
  return new XMLSerializer().serializeToString(copy);
}

/**
 * The charts below `root` under a title, in the colours of the page.
 * @param {Element} root
 * @param {string} title
 * @returns {Promise<Blob | null>} null when no chart is drawn
 */
export async function chartsAsPng(root, title) {
  /** @type {NodeListOf<SVGElement>} */
  const charts = root.querySelectorAll(".kis-chart-stage:not(.kis-chart-waiting) svg");
  if (!charts.length) return null;
  const style = getComputedStyle(root);
  const sizes = [...charts].map((svg) => svg.getBoundingClientRect());
  const { tops, width, height } = stack(sizes);
  const canvas = h("canvas", { width: width * SCALE, height: height * SCALE });
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(SCALE, SCALE);
  pen.fillStyle = style.getPropertyValue("--kis-paper").trim();
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = style.color;
  pen.font = `12px ${style.fontFamily}`;
  pen.fillText(title, MARGIN, 28);
  for (const [at, svg] of charts.entries()) {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(selfContained(svg))}`;
    await image.decode();
    pen.drawImage(image, MARGIN, tops[at], sizes[at].width, sizes[at].height);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
