// The reconciliation: how many checks ended how, and the ones that do not add up.

function drawChecks(el) {
  el.classList.add("kis-reconcile-panel");
  return {
    update({ checks }) {
      if (!checks) return;
      const counts = checks.counts.map(([key, label, n]) =>
        h("li", { class: `kis-count-${key} ${n ? "" : "kis-none"}` }, h("b", String(n)), " ", label),
      );
      const rows = checks.rows.map((row) =>
        h("tr", h("td", row.what, h("small", row.item)), ...row.figures.map((text) => h("td.kis-number", text))),
      );
      el.replaceChildren(
        h("h3.kis-title", checks.title),
        h("p", { class: `kis-verdict ${checks.bad ? "kis-bad" : "kis-good"}` }, `${checks.bad ? "≠" : "✓"} ${checks.verdict}`),
        h("ul.kis-counts", counts),
        rows.length
          ? h(
              "div.kis-table",
              { tabindex: "0", role: "region", "aria-label": checks.title },
              h("table", h("thead", h("tr", checks.heads.map((text, at) => h(at ? "th.kis-number" : "th", { scope: "col" }, text)))), h("tbody", rows)),
            )
          : "",
        checks.more ? h("p.kis-note", checks.more) : "",
      );
    },
  };
}

export default panel(drawChecks);
