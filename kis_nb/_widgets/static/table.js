// The positions: sorted by ranks that the kernel worked out from the exact figures, filtered here.

function drawTable(el, act) {
  el.classList.add("kis-positions-panel");
  const title = h("h3.kis-title");
  const find = h("input.kis-find", { type: "search", oninput: () => arrange() });
  const side = h("select.kis-side", { onchange: () => arrange() });
  const count = h("span.kis-count", { role: "status" });
  const clear = h("button.kis-clear", { type: "button", hidden: true, onclick: () => pick([]) });
  const csv = h("button", { type: "button", onclick: () => act("csv", order()) });
  const excel = h("button", { type: "button", onclick: () => act("excel", order()) });
  const head = h("tr");
  const body = h("tbody");
  const foot = h("tr");
  const table = h("table", h("thead", head), body, h("tfoot", foot));
  const empty = h("div.kis-empty", { hidden: true });
  const box = h("div.kis-table", { tabindex: "0", role: "region" }, table, empty);
  el.append(h("div.kis-tools", title, find, side, count, clear, h("span.kis-gap"), csv, excel), box);

  let content = { columns: [], rows: [], words: {}, keys: new Set() };
  let picked = [];
  let gesture = 0; // the number of the last one made here
  let only = null; // rows that a brush left, or null
  let sorted = null; // {key, down}
  let shown = [];
  const lines = new Map(); // row element by key

  const order = () => shown.map((row) => row.key);

  function pick(ids) {
    picked = ids;
    if (!ids.length) only = null;
    gesture = ++PAGE.gestures;
    act("select", { ids, number: gesture });
    arrange();
  }

  function click(event, id) {
    const add = event.ctrlKey || event.metaKey || event.shiftKey;
    if (add) pick(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id]);
    else pick(picked.length === 1 && picked[0] === id ? [] : [id]);
  }

  function move(event, step) {
    const row = event.target.closest("tr");
    const next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (next) next.focus();
    event.preventDefault();
  }

  function line(id) {
    const made = h("tr", {
      tabindex: "-1",
      onclick: (event) => click(event, id),
      onkeydown: (event) => {
        if (event.key === "Enter" || event.key === " ") {
          click(event, id);
          event.preventDefault();
        } else if (event.key === "ArrowDown") move(event, 1);
        else if (event.key === "ArrowUp") move(event, -1);
      },
    });
    made.append(...content.columns.map(() => h("td")));
    return made;
  }

  function sortBy(key) {
    const column = content.columns.find((one) => one.key === key);
    // Figures are looked at from the largest down, names from A.
    const first = column.number;
    if (!sorted || sorted.key !== key) sorted = { key, down: first };
    else if (sorted.down === first) sorted = { key, down: !first };
    else sorted = null;
    heads();
    arrange();
  }

  function heads() {
    head.replaceChildren(
      ...content.columns.map((column) => {
        const on = sorted?.key === column.key;
        const arrow = on ? (sorted.down ? " ▼" : " ▲") : "";
        return h(
          "th",
          { scope: "col", class: column.number ? "kis-number" : "", "aria-sort": on ? (sorted.down ? "descending" : "ascending") : "none" },
          h("button", { type: "button", title: column.key, onclick: () => sortBy(column.key) }, column.label + arrow),
        );
      }),
    );
  }

  function arrange() {
    const { columns, words } = content;
    const text = find.value.trim().toLowerCase();
    shown = content.rows.filter(
      (row) =>
        (!text || row.search.includes(text)) &&
        (!side.value || row.side === side.value) &&
        (!only || only.includes(row.id)),
    );
    if (sorted) {
      const at = columns.findIndex((column) => column.key === sorted.key);
      const flip = sorted.down ? -1 : 1;
      // A missing figure is neither small nor large: it stays at the end both ways.
      shown.sort((a, b) => {
        const [x, y] = [a.ranks[at], b.ranks[at]];
        return x == null || y == null ? (x == null) - (y == null) : flip * (x - y);
      });
    }
    const rows = shown.map((row, number) => {
      let tr = lines.get(row.key);
      if (!tr || tr.children.length !== columns.length) lines.set(row.key, (tr = line(row.id)));
      row.cells.forEach((cell, at) => {
        const td = tr.children[at];
        setText(td, cell);
        const look = `${columns[at].number ? "kis-number" : ""} ${row.tones[at] ? `kis-${row.tones[at]}` : ""}`;
        if (td.className !== look) td.className = look;
      });
      const on = picked.includes(row.id);
      if (tr.getAttribute("aria-selected") !== String(on)) tr.setAttribute("aria-selected", String(on));
      tr.tabIndex = number === 0 ? 0 : -1;
      return tr;
    });
    for (const key of lines.keys()) if (!content.keys.has(key)) lines.delete(key);
    const same = rows.length === body.children.length && rows.every((tr, at) => body.children[at] === tr);
    if (!same) body.replaceChildren(...rows);
    totals();
    const all = content.rows.length;
    setText(count, all ? words.count.replace("{shown}", shown.length).replace("{all}", all) : "");
    clear.hidden = !picked.length;
    setText(clear, `${(words.picked ?? "").replace("{n}", picked.length)} ✕`);
    clear.setAttribute("aria-label", words.clear ?? "");
    empty.hidden = shown.length > 0;
    setText(empty, all ? words.no_match : words.no_positions);
    table.hidden = !all;
  }

  // Whole won, added as BigInt: exact at any size. A missing figure makes the sum unknown.
  function totals() {
    foot.replaceChildren(
      ...content.columns.map((column, at) => {
        if (at === 0) return h("th", { scope: "row" }, content.words.sum_shown ?? "");
        if (!column.sum) return h("td");
        // A position without a price has no P&L to add: the sum says how many it lacks.
        const priced = shown.filter((row) => row.cells[at] !== content.words.no_price);
        const lack = shown.length - priced.length;
        const cells = priced.map((row) => row.cells[at].replace(/[▲▼+,\s]/g, ""));
        const known = cells.every((cell) => /^-?\d+$/.test(cell));
        const sum = cells.reduce((total, cell) => (known ? total + BigInt(cell) : total), 0n);
        const sign = sum > 0n ? "up" : sum < 0n ? "down" : "";
        const text = known ? (sum > 0n ? "+" : "") + sum.toLocaleString("en-US") : "–";
        return h(
          "td",
          { class: `kis-number kis-${known ? sign : ""}` },
          text,
          lack > 0 && h("small.kis-lack", (content.words.without_price ?? "").replace("{n}", lack)),
        );
      }),
    );
  }

  return {
    update(parts, changed) {
      if (changed.has("table")) {
        content = { ...parts.table, keys: new Set(parts.table.rows.map((row) => row.key)) };
        const { words } = content;
        setText(title, words.positions);
        for (const [node, label] of [[find, words.filter], [side, words.side], [box, words.positions]])
          node.setAttribute("aria-label", label);
        find.placeholder = words.filter;
        const kept = side.value;
        side.replaceChildren(...words.sides.map(([value, label]) => h("option", { value }, label)));
        side.value = kept;
        setText(csv, words.csv);
        setText(excel, words.excel);
        csv.disabled = excel.disabled = !content.rows.length;
        heads();
      }
      const { page, number } = parts.picked ?? {};
      // Of a gesture made here nothing comes back before a later one has.
      const told = changed.has("picked") && !(page === PAGE.id && number < gesture);
      if (told) {
        picked = parts.picked.ids;
        // What a chart's brush picked is what the table then shows.
        only = parts.picked.only ? parts.picked.ids : null;
      }
      arrange();
      if (told && picked.length === 1 && !(page === PAGE.id && number === gesture)) {
        const tr = lines.get(shown.find((row) => row.id === picked[0])?.key);
        if (tr?.isConnected && !tr.matches(":hover")) {
          const [row, frame] = [tr.getBoundingClientRect(), box.getBoundingClientRect()];
          if (row.top < frame.top + 32 || row.bottom > frame.bottom) box.scrollTop += row.top - frame.top - 64;
        }
      }
    },
  };
}

export default panel(drawTable);
