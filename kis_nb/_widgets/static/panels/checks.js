// The reconciliation: how many checks ended how, and the ones that do not add up.

import { h } from "../shared/elements.js";
import { panel } from "./panel.js";

/**
 * @typedef {object} Checks
 * @property {string} title
 * @property {string} verdict
 * @property {boolean} bad whether a check differs
 * @property {[key: string, label: string, count: number][]} counts
 * @property {string[]} heads of the columns
 * @property {{what: string, item: string, figures: string[]}[]} rows
 * @property {string} more how many rows are not listed, in words
 */

/** @param {Checks} checks */
function checksTable({ title, heads, rows }) {
  const head = heads.map((text, at) =>
    h("th", { scope: "col", class: at ? "kis-number" : null }, text),
  );
  const lines = rows.map((row) =>
    h(
      "tr",
      h("td", row.what, h("small", row.item)),
      ...row.figures.map((text) => h("td.kis-number", text)),
    ),
  );
  return h(
    "div.kis-table",
    { tabindex: "0", role: "region", "aria-label": title },
    h("table", h("thead", h("tr", head)), h("tbody", lines)),
  );
}

export default panel((el) => {
  el.classList.add("kis-reconcile-panel");
  return {
    update(parts) {
      /** @type {Checks | undefined} */
      const checks = parts.checks;
      if (!checks) return;
      const counts = checks.counts.map(([key, label, count]) =>
        h(
          "li",
          { class: `kis-count-${key} ${count ? "" : "kis-none"}` },
          h("b", String(count)),
          " ",
          label,
        ),
      );
      const [tone, sign] = checks.bad ? ["bad", "≠"] : ["good", "✓"];
      el.replaceChildren(
        h("h3.kis-title", checks.title),
        h("p", { class: `kis-verdict kis-${tone}` }, `${sign} ${checks.verdict}`),
        h("ul.kis-counts", counts),
        checks.rows.length ? checksTable(checks) : "",
        checks.more ? h("p.kis-note", checks.more) : "",
      );
    },
  };
});
