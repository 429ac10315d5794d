// Two maps of the same rows: what is pointed at, chosen or drawn around on one is so on the other.

async function unpackBoth() {
  const names = ["head", "ids", "texts", "overlap", "drift", "order", "a_x", "a_y", "b_x", "b_y", "a_labels", "b_labels", "a_lists", "b_lists"];
  const values = await Promise.all(names.map(unpack));
  const data = Object.fromEntries(names.map((name, i) => [name, values[i]]));
  const { n, k, reals, groups } = data.head;
  const real = (name) => (i) => reals[name][0] + reals[name][1] * data[name][i];
  const side = (s) => ({
    n, name: data.head.names[s], mapX: real(`${s}_x`), mapY: real(`${s}_y`), labels: data[`${s}_labels`], groups: groups[s],
    byId: new Map(groups[s].map((group, rank) => [group.id, { ...group, rank }])),
    mates: (i) => Array.from(data[`${s}_lists`].subarray(i * k, (i + 1) * k)),
  });
  return {
    n, k, order: data.order, sides: { a: side("a"), b: side("b") }, kept: (i) => data.overlap[i], gone: real("drift"),
    id: (i) => data.ids[i], text: (i) => data.texts[i] ?? "",
  };
}

function startPage(data) {
  const { sides } = data;
  const state = { row: null, selection: null, group: null, colour: $("colour").value };
  const maps = {};
  const both = (run) => { for (const s of ["a", "b"]) run(s, maps[s]); };

  function change(next) {
    Object.assign(state, next);
    paint();
    showLegend();
    showPanel();
  }

  const inGroup = (i) => state.group === null || sides[state.group.side].labels[i] === state.group.id;

  function paint() {
    const chosen = state.selection && new Set(state.selection);
    const lit = new Uint8Array(data.n);
    const of = new Uint16Array(data.n);
    let count = 0;
    for (let i = 0; i < data.n; i++) count += lit[i] = inGroup(i) && (!chosen || chosen.has(i)) ? 1 : 0;
    let colours;
    if (state.colour === "kept") {
      for (let i = 0; i < data.n; i++) of[i] = data.kept(i);
      colours = Array.from({ length: data.k + 1 }, (_, kept) => rgb(keptColour(kept / data.k)));
    } else {
      const side = sides[state.colour];
      for (let i = 0; i < data.n; i++) of[i] = (side.byId.get(side.labels[i])?.rank ?? -1) + 1;
      colours = [rgb(isDark() ? "#61706b" : "#a9b5b1"), ...side.groups.map((_, rank) => rgb(rankColour(rank)))];
    }
    both((s, map) => {
      map.paint = { of, colours, lit, count, anyDim: count < data.n, dim: rgb(cssColour("--dim")), background: rgb(cssColour("--map")) };
      map.chosen = state.row;
      map.mates = state.row === null ? [] : sides[s].mates(state.row);
      map.moved();
    });
  }

  function showLegend() {
    if (state.colour === "kept") {
      const ramp = make("canvas", { width: 21, height: 1 });
      const pen = ramp.getContext("2d");
      for (let step = 0; step <= 20; step++) { pen.fillStyle = keptColour(step / 20); pen.fillRect(step, 0, 1, 1); }
      return $("legend").replaceChildren(make("span", { className: "ramp" }, "all neighbours lost", ramp, "all kept"));
    }
    const s = state.colour;
    $("legend").replaceChildren(...sides[s].groups.slice(0, 200).map((group, rank) => {
      const pressed = state.group?.side === s && state.group.id === group.id;
      const chip = make("button", { type: "button", className: "group-chip", "aria-pressed": String(pressed), on: { click: () => showGroup(s, pressed ? null : group.id) } },
        make("span", { dir: "auto" }, group.name), make("small", {}, thousands(group.size)));
      chip.style.setProperty("--c", rankColour(rank));
      return chip;
    }));
  }

  const showGroup = (side, id) => change({ group: id === null ? null : { side, id }, selection: null, row: null });

  function choose(row) {
    change({ row, selection: null, group: null });
    $("maps").scrollIntoView();
  }

  /** One list of nearest rows, those that are in both lists ticked. */
  function nearest(s, row) {
    const other = new Set(sides[s === "a" ? "b" : "a"].mates(row));
    return make("div", {}, make("p", { className: `side-name ${s}`, dir: "auto" }, `Nearest in ${sides[s].name}`),
      make("ol", {}, sides[s].mates(row).map((mate) => make("li", { className: other.has(mate) ? "" : "lost" },
        make("button", { type: "button", title: "Show on the maps", on: { click: () => choose(mate) } },
          other.has(mate) ? icon("good") : make("span"),
          make("span", { className: "words", dir: "auto" }, make("span", { className: "mono" }, data.id(mate)), data.text(mate)))))));
  }

  function card(row) {
    const from = sides.a.byId.get(sides.a.labels[row]);
    const to = sides.b.byId.get(sides.b.labels[row]);
    return make("article", { className: "finding", data: { id: row } },
      make("div", { className: "row-head" }, make("span", { className: "row-id", dir: "auto" }, data.id(row)),
        make("span", { className: "kept" }, `${data.kept(row)} of ${data.k} neighbours kept`),
        make("span", { className: "faint" }, `gone ${Math.round(100 * data.gone(row))}%`),
        make("span", { className: "faint", dir: "auto" }, `${from?.name ?? "no group"} → ${to?.name ?? "no group"}`),
        make("span", { className: "row-score" }, make("button", { type: "button", className: "quiet", on: { click: () => choose(row) } }, "Show on the maps"))),
      data.text(row) && make("p", { className: "row-text", dir: "auto" }, data.text(row)),
      make("div", { className: "lists" }, nearest("a", row), nearest("b", row)));
  }

  function showPanel() {
    const close = make("button", { type: "button", className: "quiet", on: { click: () => change({ row: null, selection: null, group: null }) } }, "Close");
    if (state.row !== null) return $("panel").replaceChildren(make("div", { className: "panel-do" }, close), card(state.row));
    if (!state.selection && !state.group) return $("panel").replaceChildren();
    const rows = Array.from(data.order).filter((row) => inGroup(row) && (!state.selection || state.selection.includes(row)));
    const kept = rows.reduce((sum, row) => sum + data.kept(row), 0) / (data.k * rows.length);
    const list = make("div", { className: "findings" });
    listInto(list, rows, card, 5);
    const title = state.group ? sides[state.group.side].byId.get(state.group.id)?.name : "Selected";
    $("panel").replaceChildren(make("h3", { dir: "auto" }, `${title}: ${plural(rows.length, "row")}, which keep ${Math.round(100 * kept)}% of their neighbours`),
      make("div", { className: "panel-do" }, close), list);
  }

  function tell(s, row) {
    const tip = $(`tip-${s}`);
    tip.hidden = row === null;
    if (row === null) return;
    const map = maps[s];
    const words = data.text(row);
    tip.replaceChildren(make("b", { dir: "auto" }, `${data.id(row)} · ${data.kept(row)} of ${data.k} kept`), make("span", { dir: "auto" }, words.length > 150 ? `${words.slice(0, 149)}…` : words));
    const [x, y] = map.toScreen(map.x[row], map.y[row]);
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.max(6, Math.min(map.width - width - 6, x + 14));
    tip.style.transform = `translate(${left}px, ${y + height + 20 > map.height ? Math.max(6, y - height - 14) : y + 14}px)`;
  }

  for (const s of ["a", "b"]) {
    const other = s === "a" ? "b" : "a";
    maps[s] = new PointMap(sides[s], {
      onHover(row) {
        tell(s, row);
        maps[other].hovered = row; // a ring on the other map, without a second tip
        maps[other].drawInk();
      },
      onPick: (row) => change(row === null ? { row: null, selection: null, group: null } : { row }),
      onSelect: (rows) => change({ selection: rows.length ? rows : null, row: null, group: null }),
      onView: () => {},
    }, [$(`box-${s}`), $(`canvas-${s}`), $(`ink-${s}`)]);
  }
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => {
      both((_, map) => map.setTool(button.dataset.tool));
      for (const one of document.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one === button));
    });
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => both((_, map) => (Number(button.dataset.zoom) ? map.zoom(Number(button.dataset.zoom)) : map.whole())));
  }
  for (const button of document.querySelectorAll("[data-a]")) {
    button.addEventListener("click", () => { showGroup("a", Number(button.dataset.a)); $("maps").scrollIntoView(); });
  }
  $("colour").addEventListener("change", () => change({ colour: $("colour").value, group: null }));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") change({ row: null, selection: null, group: null }); });
  addEventListener("codomain-theme", () => { paint(); showLegend(); });
  for (const wait of document.querySelectorAll(".map-wait")) wait.hidden = true;
  both((_, map) => map.resize());
  paint();
  showLegend();
  listInto($("row-list"), Array.from(data.order), card, 5);
  return { data, state, change, maps };
}

startTheme();
const failed = (words) => {
  $("cannot").textContent = words;
  $("cannot").hidden = false;
  for (const wait of document.querySelectorAll(".map-wait")) wait.textContent = "The rows could not be unpacked.";
};
if (typeof DecompressionStream === "undefined") failed("This browser cannot unpack the rows; the numbers can be read. Chrome or Edge from 80, Firefox from 113 and Safari from 16.4 can.");
else {
  unpackBoth().then((data) => {
    window.codomain = startPage(data);
    root.dataset.ready = "";
  }).catch((error) => failed(`The rows in this file could not be read (${error.message}). The file may have been cut short: copy it again.`));
}
