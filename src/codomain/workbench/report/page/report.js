// The page: what is shown follows from `state`, and every click only changes `state`.

function startPage(data) {
  const state = { query: "", like: null, group: null, label: null, selection: null, row: null, colour: $("colour")?.value ?? "group" };
  const index = new WordIndex(data);
  let map = null;
  let found = { terms: [], without: [], hits: [] };

  const server = startServer(data, () => { showResults(); paint(); });

  const groupColour = (id) => (data.byId.has(id) ? rankColour(data.byId.get(id).rank) : cssColour("--dim"));
  const act = {
    language: index.language,
    colour: groupColour,
    group: (id) => change({ group: state.group === id ? null : id, selection: null, row: null }),
    label: (number) => change({ label: state.label === number ? null : number, selection: null, row: null }),
    like: (row) => { if (server) server.add("like", row); else change({ like: row, row }); $("results").scrollIntoView({ block: "nearest" }); $("q").focus({ preventScroll: true }); },
    onMap: (row) => { change({ row }); map?.goTo(row); $("map").scrollIntoView(); $("canvas")?.focus({ preventScroll: true }); },
    ...server?.acts,
  };

  const filtered = (row) =>
    (state.group === null || data.labels[row] === state.group) && (state.label === null || data.user_labels[row] === state.label);

  function change(next) {
    const before = { ...state };
    Object.assign(state, next);
    const changed = (...names) => names.some((name) => before[name] !== state[name]);
    if (changed("query", "like", "group", "label")) showResults();
    if (changed("group", "label", "selection", "query", "like")) showChips();
    if (changed("group", "label", "selection", "row")) showPanel();
    if (changed("group", "label", "selection", "query", "like", "colour", "row")) paint();
    if (changed("group", "label", "colour")) showLegend();
  }

  // --- search -------------------------------------------------------------------------------------------------------
  async function showResults() {
    const asked = state.query.trim();
    $("results").hidden = !asked && state.like === null && !server?.refined;
    if ($("results").hidden) { server?.stop(); found = { terms: [], without: [], hits: [] }; return; }
    if (state.like !== null) {
      found = { terms: [], without: [], hits: data.mates(state.like) };
      return showHits();
    }
    if (!server) return findWords(asked);
    const answer = await server.ask(asked, condition(), (sorry) => findWords(asked, sorry));
    if (!answer) return; // typed on meanwhile
    found = answer;
    showHits();
  }

  /** Find the rows with the words of a question in this page; `sorry` says why the server was not asked. */
  async function findWords(asked, sorry = null) {
    const says = $("results-says");
    const percent = (share) => { says.textContent = `Reading the rows for the first search: ${Math.round(100 * share)}%`; };
    if (index.done < 1) percent(index.done);
    await index.build(percent);
    if (asked !== state.query.trim() || state.like !== null || (sorry && !server.failed)) return; // typed on meanwhile
    found = { ...index.search(asked), sorry };
    showHits();
  }

  /** The filters as a condition that the server reads. */
  const condition = () => (state.group === null ? "" : `group == ${state.group}`);

  function showHits() {
    const asked = state.query.trim();
    const hits = found.hits.filter((hit) => hit.row === null || filtered(hit.row));
    if (state.like !== null) $("results-says").replaceChildren("Nearest in meaning to ", make("b", { dir: "auto" }, data.id(state.like)), ", by the vectors");
    else $("results-says").replaceChildren(...(found.says?.(hits.length) ?? [found.sorry && `${found.sorry} `, ...saying(asked, hits.length)].filter(Boolean)));
    const draw = (hit) => (hit.answer ? server.card(hit, act) : rowCard(data, hit.row, act, {
      terms: found.terms, score: state.like !== null && hit.score !== null ? `cosine ${hit.score.toFixed(3)}` : null,
    }));
    const shown = state.like !== null ? [{ row: state.like, score: null }, ...hits] : hits;
    listInto($("hits"), shown, draw);
    $("hits").scrollTop = 0;
    showByMeaning(asked);
    paint();
  }

  /** How many rows were found; where there are none, words that begin like the last one typed. */
  function saying(asked, count) {
    const left = found.without.length ? `; rows with ${found.without.join(" or ")} left out` : "";
    if (count) return [`${plural(count, "row")} with these words, best first${left}`];
    if (!found.terms.length) return ["Type also what is wanted: -word only leaves rows out."];
    const last = found.terms.at(-1);
    const longer = last.includes(" ") ? [] : index.beginningWith(last, 6).filter((word) => word !== last);
    const offer = longer.flatMap((word) => [" ", make("button", { type: "button", className: "word", dir: "auto", data: { query: word } }, word)]);
    return [`No row has these words${left}.`, ...(longer.length ? [" Words that begin so:", ...offer] : [])];
  }

  function showByMeaning(asked) {
    const how = make("details", { className: "how" }, make("summary", {}, make("span", {}, "How do you know?")),
      make("div", { className: "how-body" }, state.like !== null
        ? "These are the row's nearest rows by cosine between their full vectors, found exactly when the study ran and stored in this file."
        : `Rows are ranked by BM25 over the words of the texts, ids and columns in this file${data.texts.length ? `, of each text the first ${data.head.text_length} characters` : ""}. Plain words are alternatives, "quoted words" stand together, -word leaves rows out; case and accents do not count, nor do words such as “the” beside others. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese words are found inside a text without spaces; a long run of them is looked up in pieces.`));
    const place = $("by-meaning");
    if (found.how) return place.replaceChildren(...found.how);
    if (state.like !== null || !asked || server) return place.replaceChildren(how);
    if (!data.head.search_command) {
      return place.replaceChildren(make("p", {}, "To search by meaning, use “More like this” on any row. A new sentence cannot be placed here: these vectors came without an encoder."), how);
    }
    const command = commandFor(data.head.search_command, asked);
    place.replaceChildren(
      make("p", {}, "“More like this” on any row searches by meaning. For the meaning of a new sentence, which needs the encoder, run:"),
      make("div", { className: "command" }, make("code", {}, command),
        make("button", { type: "button", className: "quiet", data: { copy: command } }, icon("copy"), make("span", {}, "Copy"))), how);
  }

  function startSearch() {
    let waiting = 0;
    const read = () => change({ query: $("q").value, like: null });
    $("q").addEventListener("focus", () => index.build(() => {}), { once: true });
    $("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(read, 130); });
    $("search").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); read(); });
    const close = () => { server?.clear(); $("q").value = ""; change({ query: "", like: null }); };
    $("close-results").addEventListener("click", () => { close(); $("q").focus(); });
    $("q").addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    const tries = data.groups.slice(0, 5).flatMap((group) => (group.words ?? []).slice(0, 1));
    if (tries.length) {
      $("try").append("Try ", ...[...new Set(tries)].map((word) => make("button", { type: "button", className: "word", dir: "auto", data: { query: word } }, word)));
      $("try").hidden = false;
    }
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); $("q").focus(); }
      if (event.key === "Escape" && !typing) change({ group: null, label: null, selection: null, row: null });
    });
  }

  function showChips() {
    const chip = (words, undo) => make("button", { type: "button", className: "chip", title: "Take this filter off", on: { click: () => change(undo) } }, make("span", { dir: "auto" }, words));
    $("chips").replaceChildren(...[
      state.group !== null && chip(`Only ${data.byId.get(state.group)?.name ?? "rows in no group"}`, { group: null }),
      state.label !== null && chip(`Only label ${data.labelNames[state.label]}`, { label: null }),
      state.selection && chip(`${plural(state.selection.length, "row")} selected on the map`, { selection: null }),
    ].filter(Boolean));
  }

  // --- map ----------------------------------------------------------------------------------------------------------
  function paint() {
    if (!map) return;
    const lit = new Uint8Array(data.n);
    const hits = state.query.trim() || state.like !== null || server?.refined ? new Set(found.hits.map((hit) => hit.row)) : null;
    const chosen = state.selection ? new Set(state.selection) : null;
    let count = 0;
    for (let i = 0; i < data.n; i++) {
      lit[i] = filtered(i) && (!hits || hits.has(i) || i === state.like) && (!chosen || chosen.has(i)) ? 1 : 0;
      count += lit[i];
    }
    map.paint = { ...colouring(), lit, count, anyDim: count < data.n, dim: rgb(cssColour("--dim")), background: rgb(cssColour("--map")) };
    map.chosen = state.row;
    map.mates = state.row !== null && data.neighbors ? data.mates(state.row).map((mate) => mate.row) : [];
    for (const button of $("names").children) button.setAttribute("aria-pressed", String(state.group === Number(button.dataset.group)));
    map.moved();
  }

  function colouring() {
    const of = new Uint16Array(data.n);
    if (state.colour === "kept" && data.kept) {
      for (let i = 0; i < data.n; i++) of[i] = Math.round(20 * data.keptShare(i));
      return { of, colours: Array.from({ length: 21 }, (_, step) => rgb(keptColour(step / 20))) };
    }
    if (state.colour === "label" && data.user_labels) {
      for (let i = 0; i < data.n; i++) of[i] = data.user_labels[i];
      return { of, colours: data.labelNames.map((_, rank) => rgb(rankColour(rank))) };
    }
    if (data.labels && data.groups.length) {
      for (let i = 0; i < data.n; i++) of[i] = (data.group(i)?.rank ?? -1) + 1;
      return { of, colours: [rgb(isDark() ? "#61706b" : "#a9b5b1"), ...data.groups.map((_, rank) => rgb(rankColour(rank)))] };
    }
    return { of, colours: [rgb(cssColour("--accent"))] };
  }

  function showLegend() {
    if (!map) return;
    const entry = (name, count, colour, pressed, click) => {
      const button = make("button", { type: "button", className: "group-chip", "aria-pressed": String(pressed), on: { click } }, make("span", { dir: "auto" }, name), make("small", {}, thousands(count)));
      button.style.setProperty("--c", colour);
      return button;
    };
    if (state.colour === "kept") {
      const ramp = make("canvas", { width: 21, height: 1 });
      const pen = ramp.getContext("2d");
      for (let step = 0; step <= 20; step++) { pen.fillStyle = keptColour(step / 20); pen.fillRect(step, 0, 1, 1); }
      return $("legend").replaceChildren(make("span", { className: "ramp" }, "all neighbours lost", ramp, "all kept"));
    }
    if (state.colour === "label") {
      const counts = new Uint32Array(data.labelNames.length);
      for (const label of data.user_labels) counts[label]++;
      return $("legend").replaceChildren(...data.labelNames.slice(0, 200).map((name, i) => entry(name, counts[i], rankColour(i), state.label === i, () => act.label(i))));
    }
    const outside = data.n - data.groups.reduce((sum, group) => sum + group.size, 0);
    $("legend").replaceChildren(
      ...data.groups.map((group) => entry(group.name, group.size, groupColour(group.id), state.group === group.id, () => act.group(group.id))),
      ...(data.groups.length && outside > 0 ? [entry("in no group", outside, isDark() ? "#61706b" : "#a9b5b1", state.group === -1, () => act.group(-1))] : []));
  }

  /** Names at the middles of their groups, or just above or below, largest first; what still has no room is left out. */
  function placeNames(centres) {
    const taken = [];
    const free = (box) => box[0] >= 0 && box[2] <= map.width && box[1] >= 0 && box[3] <= map.height
      && !taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
    for (const { button, x, y, width } of centres) {
      const [sx, sy] = map.toScreen(x, y);
      const boxes = [0, -24, 24].map((lift) => [sx - width / 2 - 3, sy + lift - 12, sx + width / 2 + 3, sy + lift + 12]);
      const box = boxes.find(free);
      button.hidden = !box;
      if (!box) continue;
      taken.push(box);
      button.style.transform = `translate(${box[0] + 3}px, ${box[1] + 1}px)`;
    }
  }

  function startMap() {
    if (!data.x) return;
    const tip = $("tip");
    let centres = [];
    map = new PointMap(data, {
      onHover(row) {
        tip.hidden = row === null;
        if (row === null) return;
        const words = data.text(row) || Object.values(data.columns).map((values) => values[row]).filter(Boolean).slice(0, 3).join(" · ");
        tip.replaceChildren(make("b", { dir: "auto" }, [data.id(row), data.group(row)?.name, data.keptShare && `${Math.round(100 * data.keptShare(row))}% of neighbours kept`].filter(Boolean).join(" · ")),
          make("span", { dir: "auto" }, words.length > 150 ? `${words.slice(0, 149)}…` : words));
        const [x, y] = map.toScreen(map.x[row], map.y[row]);
        const { width, height } = tip.getBoundingClientRect();
        const left = Math.max(6, Math.min(map.width - width - 6, x + 14));
        tip.style.transform = `translate(${left}px, ${y + height + 20 > map.height ? Math.max(6, y - height - 14) : y + 14}px)`;
      },
      onPick: (row) => change(row === null ? { row: null, selection: null } : { row }),
      onSelect: (rows) => change({ selection: rows.length ? rows : null, row: null }),
      onView: () => placeNames(centres),
    });
    centres = data.groups.map((group) => {
      const rows = [];
      for (let i = 0; i < data.n; i++) if (data.labels[i] === group.id) rows.push(i);
      const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
      const button = make("button", { type: "button", dir: "auto", data: { group: group.id }, tabIndex: -1 }, group.name);
      $("names").append(button);
      return { button, x: middle(rows.map((i) => map.x[i])), y: middle(rows.map((i) => map.y[i])), width: button.offsetWidth };
    });
    for (const button of document.querySelectorAll("[data-tool]")) {
      button.addEventListener("click", () => {
        map.setTool(button.dataset.tool);
        for (const other of document.querySelectorAll("[data-tool]")) other.setAttribute("aria-pressed", String(other === button));
      });
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => (Number(button.dataset.zoom) ? map.zoom(Number(button.dataset.zoom)) : map.whole()));
    }
    $("colour").addEventListener("change", () => change({ colour: $("colour").value }));
    if (!$("colour").options.length) $("colour").closest("label").hidden = true;
    $("map-wait").hidden = true;
    map.resize();
  }

  function showPanel() {
    const panel = $("panel");
    if (!panel) return;
    panel.scrollTop = 0;
    const close = (next) => make("button", { type: "button", className: "quiet", on: { click: () => change(next) } }, "Close");
    if (state.row !== null) {
      const mates = data.neighbors ? data.mates(state.row) : [];
      const list = make("div");
      listInto(list, mates, ({ row, score }) => rowCard(data, row, act, { small: true, score: score === null ? null : score.toFixed(3) }));
      const back = state.selection ? { row: null } : { row: null, selection: null };
      return panel.replaceChildren(make("div", { className: "panel-do" }, close(back)), rowCard(data, state.row, act),
        ...(mates.length ? [make("h3", {}, `Its ${plural(mates.length, "nearest row")}, with cosines`), list] : []));
    }
    let rows = state.selection;
    let title = rows && `${plural(rows.length, "row")} selected`;
    if (!rows && (state.group !== null || state.label !== null)) {
      rows = [];
      for (let i = 0; i < data.n; i++) if (filtered(i)) rows.push(i);
      title = `${state.group !== null ? data.byId.get(state.group)?.name ?? "In no group" : data.labelNames[state.label]}: ${plural(rows.length, "row")}`;
    }
    if (!rows) {
      return panel.replaceChildren(make("h3", {}, "Nothing chosen"), make("p", { className: "faint" },
        "Click a point for its row and its nearest rows. Take Box or Lasso, or hold Shift and drag, to select many. Click a name on the map to see one group."));
    }
    const list = make("div");
    listInto(list, rows, (row) => rowCard(data, row, act, { small: true }));
    panel.replaceChildren(make("h3", { dir: "auto" }, title), make("div", { className: "panel-do" },
      make("button", { type: "button", className: "quiet", id: "download-chosen", on: { click: () => download(rows, "rows") } }, icon("down"), "Download as CSV"),
      takeRows(data, rows),
      close({ selection: null, group: null, label: null })), list);
  }

  // --- everything else ----------------------------------------------------------------------------------------------
  function download(rows, what) {
    const name = data.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "study";
    save(toCsv(data, rows, $("safe-cells").checked), `${name}-${what}.csv`);
  }

  function colourGroups() {
    for (const node of document.querySelectorAll("[data-colour], .bars [data-group]")) {
      node.style.setProperty("--c", groupColour(Number(node.dataset.colour ?? node.dataset.group)));
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-group], [data-row], [data-query], [data-unfold]");
    if (!button) return;
    const { group, row, query, unfold } = button.dataset;
    if (group !== undefined) {
      act.group(Number(group));
      if (!button.closest("#map")) $("map").scrollIntoView();
    } else if (row !== undefined) act.onMap(Number(row));
    else if (query !== undefined) {
      $("q").value = query;
      change({ query, like: null });
      $("search").scrollIntoView({ block: "center" });
    } else if (unfold) {
      for (const card of $(unfold).children) card.hidden = false;
      button.parentElement.remove();
    }
  });
  $("download").addEventListener("click", () => {
    download(Array.from({ length: data.n }, (_, i) => i), "codomain");
  });
  addEventListener("codomain-theme", () => { colourGroups(); paint(); showLegend(); showResults(); showPanel(); });
  startSearch();
  startMap();
  colourGroups();
  paint();
  showLegend();
  showPanel();
  fillFindings(data, act, change);
  $("download").disabled = false;
  return { data, state, change, index, server, get map() { return map; } };
}

startTheme();
startCopying();
if (typeof DecompressionStream === "undefined") {
  $("cannot").textContent = "This browser cannot unpack the rows, so search, the map and the download are off; the numbers below can be read. Chrome or Edge from 80, Firefox from 113 and Safari from 16.4 can.";
  $("cannot").hidden = false;
  if ($("map-wait")) $("map-wait").textContent = "This browser cannot unpack the rows.";
} else {
  unpackAll().then((data) => {
    window.codomain = startPage(data);
    root.dataset.ready = "";
  }).catch((error) => {
    $("cannot").textContent = `The rows in this file could not be read (${error.message}). The file may have been cut short: copy it again.`;
    $("cannot").hidden = false;
  });
}
