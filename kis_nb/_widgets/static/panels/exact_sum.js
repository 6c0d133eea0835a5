// Sums of exact figures. A number of JavaScript holds about 16 digits and KIS's fields 19 and more,
// so a figure is a decimal text, like "-1237500" or "309.1", and is added as a BigInt.

const DECIMAL = /^(-?\d+)(?:\.(\d+))?$/;

/**
 * The exact sum, as a decimal text with as many decimals as the longest figure has.
 * @param {string[]} figures decimal texts
 * @returns {string}
 */
export function sumExact(figures) {
  const parts = figures.map((figure) => {
    const match = DECIMAL.exec(figure);
    if (!match) throw new TypeError(`expected a decimal figure; got ${JSON.stringify(figure)}`);
    return [match[1], match[2] ?? ""];
  });
  const decimals = Math.max(0, ...parts.map(([, fraction]) => fraction.length));
  const total = parts.reduce(
    (sum, [whole, fraction]) => sum + BigInt(whole + fraction.padEnd(decimals, "0")),
    0n,
  );
  if (!decimals) return String(total);
  const digits = String(total < 0n ? -total : total).padStart(decimals + 1, "0");
  const sign = total < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/**
 * 1, 0 or -1.
 * @param {string} figure a decimal text
 */
export function signOf(figure) {
  if (!/[1-9]/.test(figure)) return 0;
  return figure.startsWith("-") ? -1 : 1;
}

/**
 * A figure with separators and a gain's plus, as the kernel writes those above it: `+1,237,500`.
 * Decimals are at least two, without zeros after them.
 * @param {string} figure a decimal text
 */
export function formatSigned(figure) {
  const [whole, fraction] = figure.split(".");
  const digits = whole.replace("-", "").replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = { 1: "+", 0: "", "-1": "-" }[String(signOf(figure))];
  if (fraction === undefined) return sign + digits;
  return `${sign}${digits}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}
