// The P&L of every move of the Risk tab's sliders, which the page holds: no move asks the kernel.

/**
 * @typedef {object} GridMoment
 * @property {string} key "now", "night" or "expiry"
 * @property {string} label
 * @property {(number | null)[]} pnl won: a volatility after the other, each over all spots
 */

/**
 * @typedef {object} Grid
 * @property {number[]} spots relative moves of the level, from the lowest
 * @property {number[]} vols relative changes of volatility, from the lowest
 * @property {number | null} level the level that moves
 * @property {number | null} excess_margin won left before a margin call now; null when not known
 * @property {string[]} [excess_margin_notes] what it is of another moment with
 * @property {{spot: number, vol: number}} [begin] the moves that the sliders begin with
 * @property {unknown} [key] of the estimate, which a request for its positions names
 * @property {GridMoment[]} moments
 */

/** Where the sliders stand: places in `spots` and `vols`. @typedef {{spot: number, vol: number}} Shift */

/**
 * Where nothing moves.
 * @param {Grid} grid
 * @returns {Shift}
 */
export function noShift({ spots, vols }) {
  return { spot: Math.max(spots.indexOf(0), 0), vol: Math.max(vols.indexOf(0), 0) };
}

/**
 * Where the sliders begin.
 * @param {Grid} grid
 * @returns {Shift}
 */
export function beginShift(grid) {
  const none = noShift(grid);
  const spot = grid.spots.indexOf(grid.begin?.spot ?? 0);
  const vol = grid.vols.indexOf(grid.begin?.vol ?? 0);
  return { spot: spot < 0 ? none.spot : spot, vol: vol < 0 ? none.vol : vol };
}

/**
 * The P&L of a moment at a shift.
 * @param {Grid} grid
 * @param {GridMoment} moment
 * @param {Shift} shift
 * @returns {number | null}
 */
export function pnlAt({ spots }, moment, { spot, vol }) {
  return moment.pnl[vol * spots.length + spot] ?? null;
}

/**
 * The shift of the same moves on another grid; where nothing moves when it has not got one. That of
 * the beginning on the first grid.
 * @param {Grid | null} old
 * @param {Shift} shift
 * @param {Grid} grid
 * @returns {Shift}
 */
export function sameShift(old, shift, grid) {
  const none = noShift(grid);
  if (!old) return beginShift(grid);
  const spot = grid.spots.indexOf(old.spots[shift.spot]);
  const vol = grid.vols.indexOf(old.vols[shift.vol]);
  return { spot: spot < 0 ? none.spot : spot, vol: vol < 0 ? none.vol : vol };
}

/**
 * An estimate in won, as the kernel writes it: `▼ -1,237,500`.
 * @param {number | null} won
 */
export function formatWon(won) {
  if (won === null) return "–";
  const whole = Math.round(won);
  if (!whole) return "0";
  const digits = Math.abs(whole).toLocaleString("en-US");
  return whole > 0 ? `▲ +${digits}` : `▼ -${digits}`;
}

/**
 * A relative move: `-3.5%`, `0%`, `+20%`.
 * @param {number} move
 */
export function formatMove(move) {
  const percent = Math.round(move * 1000) / 10;
  return `${percent > 0 ? "+" : ""}${percent || 0}%`;
}

/**
 * A level: `1,038.80`.
 * @param {number} level
 */
export function formatLevel(level) {
  return level.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/**
 * The class for the colour of a profit or loss.
 * @param {number | null} won
 */
export function toneOf(won) {
  if (won === null || !Math.round(won)) return "";
  return won > 0 ? "kis-up" : "kis-down";
}
