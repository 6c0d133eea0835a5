// Status, progress, errors and the head line. It also looks after the dashboard around it: greys
// what does not belong to the codes chosen, and says to assistive tools what ipywidgets leaves out.

const CHOSEN = [".kis-account", ".kis-mgna-dvsn", ".kis-excc-stat-cd"];

// Which option a control of ipywidgets shows, read from the page: a click shows there first.
function chosen(root, selector) {
  const control = root.querySelector(selector);
  const select = control?.querySelector("select");
  if (select) return select.selectedIndex;
  return [...(control?.querySelectorAll("input") ?? [])].findIndex((one) => one.checked);
}

function drawCard(card) {
  const sub = (card.sub ?? []).map((one) =>
    h("div.kis-sub", h("span", one.label), h("span.kis-figure", { class: `kis-figure ${tone(one)}` }, one.value)),
  );
  const bar =
    card.bar &&
    h(
      "div.kis-bar",
      { role: "meter", "aria-label": card.label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": card.bar.now, "aria-valuetext": card.value },
      h("div.kis-bar-fill", { style: `width:${card.bar.width}`, class: `kis-bar-fill ${card.bar.full ? "kis-loud" : ""}` }),
    );
  // Its line is there before there is a change to tell: the page below must not move at each pull.
  const change =
    card.key !== "excess" &&
    h("div", { class: `kis-change ${tone(card.change ?? {})}`, title: card.change?.title ?? "" }, card.change?.text ?? "\u00a0");
  return h(
    "div",
    { class: `kis-card kis-card-${card.key} ${card.loud ? "kis-loud" : ""}`, role: "group", "aria-label": card.label },
    h("div.kis-label", card.label),
    h("div", { class: `kis-value ${tone(card)}` }, card.value, card.unit && h("small", card.unit)),
    bar,
    change,
    ...sub,
  );
}

function tone(part) {
  return part.tone ? `kis-${part.tone}` : "";
}

// The charts as one picture: each SVG with its live colours written out, one below the other.
async function png(root, title) {
  const charts = [...root.querySelectorAll(".kis-chart-stage:not(.kis-chart-waiting) svg")];
  if (!charts.length) return null;
  const look = getComputedStyle(root);
  const paper = getComputedStyle(root).getPropertyValue("--kis-paper").trim() || "#fff";
  const sizes = charts.map((svg) => svg.getBoundingClientRect());
  const width = Math.max(...sizes.map((size) => size.width)) + 32;
  const height = sizes.reduce((sum, size) => sum + size.height + 24, 56);
  const scale = 2;
  const canvas = h("canvas", { width: width * scale, height: height * scale });
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = look.color;
  pen.font = `12px ${look.fontFamily}`;
  pen.fillText(title, 16, 28);
  let y = 48;
  for (const [index, svg] of charts.entries()) {
    const copy = svg.cloneNode(true);
    const [from, to] = [[svg, ...svg.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
    from.forEach((node, at) => {
      const style = getComputedStyle(node);
      for (const name of ["fill", "stroke", "font-family", "font-size", "font-weight", "opacity"])
        to[at].style.setProperty(name, style.getPropertyValue(name));
    });
    const text = new XMLSerializer().serializeToString(copy);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    pen.drawImage(image, 16, y, sizes[index].width, sizes[index].height);
    y += sizes[index].height + 24;
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function drawHead(el, act) {
  el.classList.add("kis-head");
  const status = h("span.kis-status", { role: "status" });
  const age = h("span.kis-age");
  const note = h("span.kis-note");
  const bar = h("div.kis-progress-bar");
  const page = h("span");
  const progress = h("div.kis-progress", { role: "progressbar", hidden: true }, bar, page);
  const cancel = h("button.kis-cancel", { type: "button", hidden: true, onclick: () => act("cancel") });
  const picture = h("button.kis-png", {
    type: "button",
    onclick: async () => {
      const blob = await png(home ?? document, status.textContent);
      if (blob) save(`${parts.file}.png`, "image/png", blob);
    },
  });
  const error = h("div.kis-error", { role: "alert", hidden: true });
  const call = h("div.kis-call", { role: "alert", hidden: true });
  const cards = h("div.kis-cards", { role: "group" });
  const explain = h("div.kis-explain");
  el.append(
    explain,
    h("div.kis-line", h("div.kis-said", status, age, note), h("div.kis-busy", progress, cancel, picture)),
    error,
    call,
    cards,
  );

  let parts = {};
  let skew = 0;
  let drawn = [];
  let tries = 0;
  const root = () => el.closest(".kis-dashboard");

  // How far a pull is, or how long it still waits for its token.
  function pace() {
    const { token, text } = parts.busy ?? {};
    const left = token ? Math.max(0, Math.ceil(token.until - Date.now() / 1000 - skew)) : 0;
    setText(page, token ? token.text.replace("{n}", left) : (text ?? ""));
  }

  function tick() {
    pace();
    const seconds = parts.as_of == null ? null : Math.max(0, Math.floor(Date.now() / 1000 + skew - parts.as_of));
    if (seconds == null) return setText(age, "");
    const [key, n] = seconds < 120 ? ["s", seconds] : seconds < 7200 ? ["m", Math.floor(seconds / 60)] : ["h", Math.floor(seconds / 3600)];
    setText(age, parts.words[`age_${key}`].replace("{n}", n));
  }

  // Greyed when a click asks for something else than what is drawn and it is not there at once, and
  // until it is there.
  let again = null;
  function grey(sure) {
    const around = root();
    if (!around) return;
    const other = parts.shown?.some((at, i) => {
      const now = chosen(around, CHOSEN[i]);
      return at >= 0 && now >= 0 && now !== at;
    });
    if (!other || sure) around.classList.toggle("kis-stale", Boolean(parts.stale || other));
    if (!other) {
      clearTimeout(again);
      again = null;
    } else
      // Not put off by what arrives meanwhile: a pull tells of each page.
      again ??= setTimeout(() => {
        again = null;
        grey(true);
      }, 150);
  }

  // A chart that holds what is now chosen shows it without waiting for the kernel.
  function turn() {
    const detail = CHOSEN.map((one) => chosen(home, one)).join("/");
    for (const frame of home.querySelectorAll(".kis-chart-frame"))
      frame.dispatchEvent(new CustomEvent("kis-turn", { detail }));
    grey();
  }

  // ipywidgets' radio buttons are no group to a screen reader, and its selects have no long name.
  // The notebook takes the arrow keys from a radio button before the browser can act on them.
  function arrows(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const radios = event.target.type === "radio" && event.target.closest(".widget-radio-box");
    if (!step || !radios) return;
    const all = [...radios.querySelectorAll("input:enabled")];
    const next = all.at((all.indexOf(event.target) + step) % all.length);
    event.preventDefault();
    event.stopPropagation();
    next.focus();
    next.click();
  }

  // A common name makes them one stop of the Tab key.
  function group(radios) {
    radios.setAttribute("role", "radiogroup");
    radios.id ||= `kis-${Math.random().toString(36).slice(2)}`;
    for (const one of radios.querySelectorAll("input")) one.name = radios.id;
  }

  function name() {
    const around = root();
    if (!around || !parts.names || around.dataset.named === parts.lang + parts.colors) return;
    let missing = false;
    around.setAttribute("role", "region");
    around.setAttribute("aria-label", parts.names.dashboard);
    around.dataset.colors = parts.colors;
    // Keys pressed in here are not the notebook's commands.
    around.dataset.lmSuppressShortcuts = "true";
    around.lang = parts.lang;
    for (const [selector, label] of Object.entries(parts.names)) {
      const controls = around.querySelectorAll(`.${selector}`);
      if (!controls.length && selector !== "dashboard") missing = true;
      for (const control of controls) {
        const radios = control.querySelector(".widget-radio-box");
        const named = radios ?? control.querySelector("select");
        if (radios) group(radios);
        if (named) named.setAttribute("aria-label", label);
        else missing = true;
      }
    }
    // Controls may be drawn later than this panel.
    if (missing && tries++ < 50) setTimeout(name, 200);
    else {
      around.dataset.named = parts.lang + parts.colors;
      // In another language ipywidgets makes new buttons, perhaps after this.
      setTimeout(() => around.querySelectorAll(".widget-radio-box").forEach(group), 300);
    }
  }

  const left = new AbortController();
  let stop = new AbortController();
  let home = null;
  function settle() {
    const around = root();
    if (around && around !== home) {
      stop.abort();
      stop = new AbortController();
      home = around;
      around.addEventListener("change", turn, { signal: stop.signal });
      around.addEventListener("keydown", arrows, { signal: stop.signal });
    }
    name();
    grey();
    around?.classList.toggle("kis-blank", parts.as_of == null);
  }
  const placed = new ResizeObserver(() => {
    settle();
    if (home) placed.disconnect();
  });
  placed.observe(el);
  const ticker = setInterval(tick, 1000);
  // The kernel is told what of it is on a page: nobody else tells it that a cell was run again.
  const view = `${PAGE.id}-${++PAGE.views}`;
  act("shown", view);
  addEventListener("pagehide", () => act("hidden", view), { signal: left.signal });
  addEventListener("pageshow", (event) => event.persisted && act("shown", view), { signal: left.signal });

  function update(all, changed, newSkew) {
    [parts, skew] = [all, newSkew];
    if (changed.has("explain"))
      explain.replaceChildren(
        ...all.explain.map((one) => h("span", h("b", one.name), " ", one.text)),
      );
    if (changed.has("status")) {
      const demo = all.status.endsWith("DEMO");
      if (status.textContent !== all.status)
        status.replaceChildren(demo ? all.status.slice(0, -4) : all.status, demo ? h("b.kis-demo", { title: all.words.demo }, "DEMO") : "");
    }
    if (changed.has("note")) setText(note, all.note ?? "");
    if (changed.has("busy")) {
      progress.hidden = cancel.hidden = !all.busy;
      pace();
      if (all.busy) {
        progress.setAttribute("aria-label", all.busy.name);
        progress.setAttribute("aria-valuetext", page.textContent);
        if (all.busy.total) {
          progress.setAttribute("aria-valuemin", "0");
          progress.setAttribute("aria-valuemax", all.busy.total);
          progress.setAttribute("aria-valuenow", all.busy.page);
        } else for (const end of ["min", "max", "now"]) progress.removeAttribute(`aria-value${end}`);
        bar.style.width = all.busy.total ? `${Math.min(100, (100 * all.busy.page) / all.busy.total)}%` : "100%";
        bar.classList.toggle("kis-unknown", !all.busy.total);
        setText(cancel, all.busy.cancel);
      }
    }
    if (changed.has("error")) {
      error.hidden = !all.error;
      error.replaceChildren(
        ...(all.error
          ? [h("b", all.error.what), " ", h("span", all.error.todo), all.error.detail && h("small", all.error.detail)].filter(Boolean)
          : []),
      );
    }
    if (changed.has("words")) setText(picture, all.words.png);
    picture.hidden = all.as_of == null;
    if (changed.has("call")) {
      call.hidden = !all.call;
      setText(call, all.call ?? "");
    }
    if (changed.has("cards")) {
      // Only the cards that changed: the page around them is large, and is laid out anew for each.
      const texts = all.cards.map((card) => JSON.stringify(card));
      all.cards.forEach((card, at) => {
        if (drawn[at] === texts[at]) return;
        if (cards.children[at]) cards.children[at].replaceWith(drawCard(card));
        else cards.append(drawCard(card));
      });
      drawn = texts;
      cards.setAttribute("aria-label", all.words.figures);
    }
    settle();
    tick();
  }

  return {
    update,
    remove() {
      clearInterval(ticker);
      clearTimeout(again);
      placed.disconnect();
      stop.abort();
      left.abort();
      act("hidden", view);
    },
  };
}

export default panel(drawHead);
