// How old the figures are and how long something takes, in the words that the kernel sends.

/**
 * The age in seconds below two minutes, in minutes below two hours, else in hours.
 * @param {number} seconds
 * @param {Record<string, string>} words sentences with a place `{n}`: `age_s`, `age_m`, `age_h`
 */
export function ageText(seconds, words) {
  const age = Math.max(0, Math.floor(seconds));
  if (age < 120) return words.age_s.replace("{n}", String(age));
  if (age < 7200) return words.age_m.replace("{n}", String(Math.floor(age / 60)));
  return words.age_h.replace("{n}", String(Math.floor(age / 3600)));
}

/**
 * What a pull is doing: which page it reads, or how many seconds it still waits for its token.
 * @param {{text: string, token: {text: string, until: number} | null} | null | undefined} busy
 *   `until` is a time of the kernel's clock in seconds
 * @param {number} now the kernel's clock in seconds
 */
export function progressText(busy, now) {
  if (!busy) return "";
  const { text, token } = busy;
  if (!token) return text;
  return token.text.replace("{n}", String(Math.max(0, Math.ceil(token.until - now))));
}
