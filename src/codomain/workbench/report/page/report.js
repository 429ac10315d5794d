// The page: what is shown follows from `state`, and every click only changes `state`.

/** The map alone, coloured by groups, while texts and columns are still read. */
function drawFirst({ head: { n, reals, groups }, x, y, labels }) {
  if (!x) return null;
  const real = (name, values) => (i) => reals[name][0] + reals[name][1] * values[i];
  const rank = new Map(groups.map((group, i) => [group.id, i + 1]));
  const colours = [rgb(groups.length ? outsideColour() : cssColour("--accent")), ...groups.map((_, i) => rgb(rankColour(i)))];
  const nothing = () => {};
  const map = new PointMap({ n, mapX: real("x", x), mapY: real("y", y) }, { onHover: nothing, onPick: nothing, onSelect: nothing, onView: nothing });
  map.paint = { of: Uint16Array.from({ length: n }, (_, i) => rank.get(labels?.[i]) ?? 0), colours, lit: new Uint8Array(n).fill(1), count: n, anyDim: false, dim: rgb(cssColour("--dim")), background: rgb(cssColour("--map")) };
  $("map-wait").hidden = true;
  map.resize();
  return map;
}

function startPage(data, drawn) {
  const columns = readColumns(data);
  const column = new Map(columns.map((one) => [one.key, one]));
  const NONE = { terms: [], without: [], hits: [] };
  const usualColour = columns.find(({ key }) => ["group", "label", "kept"].includes(key))?.key ?? columns[0]?.key ?? "";
  const state = { query: "", like: null, filters: new Map(), selection: null, row: null, colour: usualColour, size: "" };
  /** The one group or label that is chosen, or null: what `filters` says, in short. */
  const only = (key) => {
    const names = state.filters.get(key)?.names;
    return names?.size === 1 ? [...names][0] : null;
  };
  Object.defineProperties(state, {
    group: { get: () => (only("group") === null ? null : data.groups[only("group")]?.id ?? -1) },
    label: { get: () => only("label") },
  });
  const index = new WordIndex(data);
  const regex = new RegexSearch(data, columns);
  const cross = new CrossFilter(data.n, columns, ["search", "selection"]);
  const lit = new Uint8Array(data.n).fill(1);
  const within = new Uint8Array(data.n).fill(1);
  let count = data.n;
  let map = null;
  let facets = null;
  let areas = null;
  let found = NONE;

  const server = startServer(data, () => { find(); });

  const groupColour = (id) => (data.byId.has(id) ? rankColour(data.byId.get(id).rank) : cssColour("--dim"));
  const act = {
    language: index.language,
    colour: groupColour,
    group: (id) => { change({ group: state.group === id ? null : id, selection: null, row: null }); showSide("panel"); },
    like: (row) => { if (server) server.add("like", row); else change({ like: row, row }); $("results").scrollIntoView({ block: "nearest" }); $("q").focus({ preventScroll: true }); },
    onMap: (row) => { change({ row }); map?.goTo(row); $("map").scrollIntoView(); $("canvas")?.focus({ preventScroll: true }); },
    ...server?.acts,
  };

  const filtered = (row) => lit[row] === 1;

  /** Filters with one put in the place of what its column had. */
  function withFilter(filters, key, filter) {
    const next = new Map(filters);
    if (filter) next.set(key, filter);
    else next.delete(key);
    return next;
  }

  /** Change what is shown. `live`: a finger still draws, so lists and the address wait. */
  function change({ group, label, ...next }, { live = false } = {}) {
    const before = { ...state };
    Object.assign(state, next);
    const chosen = (key, i) => { if (column.has(key)) state.filters = withFilter(state.filters, key, i === null ? null : { names: new Set([i]) }); };
    if (group !== undefined) chosen("group", group === null ? null : data.byId.get(group)?.rank ?? data.groups.length);
    if (label !== undefined) chosen("label", label);
    const changed = (...names) => names.some((name) => before[name] !== state[name]);
    for (const key of changed("filters") ? column.keys() : []) {
      const filter = state.filters.get(key);
      if (filter !== before.filters.get(key)) cross.set(key, filter ? passOf(column.get(key), filter) : null);
    }
    if (changed("selection")) cross.set("selection", state.selection && passRows(state.selection));
    if (changed("filters", "selection")) relight();
    if (changed("query", "like")) find();
    else if (changed("filters", "selection")) later(server && changed("filters") ? find : showHits, live); // a server finds among the rows that pass
    if (changed("filters", "selection", "query", "like")) showChips();
    if (changed("filters", "selection", "row")) later(showPanel, live);
    if (map) [$("colour").value, $("point-size").value] = [state.colour, state.size];
    if (changed("row", "colour", "size")) paint();
    if (changed("filters", "colour", "size")) later(showLegend, live);
    if (changed("row", "selection") && (state.row !== null || state.selection)) showSide("panel");
    if (!live) address.save(changed("filters", "selection", "like", "row", "colour", "size"));
  }

  const passRows = (rows) => {
    const pass = new Uint8Array(data.n);
    for (const row of rows) pass[row] = 1;
    return pass;
  };

  /** Run now, or when a finger that draws has rested for a moment. */
  const waiting = new Map();
  function later(run, live) {
    clearTimeout(waiting.get(run));
    if (live) waiting.set(run, setTimeout(run, 120));
    else run();
  }

  /** Everything that follows from which rows pass. */
  function relight() {
    cross.count();
    count = cross.light(lit, within, "selection");
    facets?.update(state.filters);
    paint();
  }

  // --- search -------------------------------------------------------------------------------------------------------
  /** Find the rows that the question asks for; then show them. */
  async function find() {
    const asked = state.query.trim();
    const still = () => asked === state.query.trim() && state.like === null;
    const says = $("results-says");
    regex.stop();
    $("results").hidden = !asked && state.like === null && !server?.refined;
    if ($("results").hidden) { server?.stop(); return settle(NONE); }
    if (state.like !== null) return settle({ ...NONE, hits: data.mates(state.like) });
    const expression = readRegex(asked);
    if (expression?.wrong) return settle({ ...NONE, wrong: expression.wrong });
    if (expression) {
      says.textContent = "Looking through the rows";
      const matches = await regex.search(expression).catch((error) => ({ hits: [], wrong: `this browser does not run it: ${error.message}` }));
      if (still() && matches) settle({ ...NONE, ...matches, expression }); // else typed on meanwhile
      return;
    }
    if (!server) return findWords(asked);
    const answer = await server.ask(asked, conditionFor(columns, state.filters).text, (sorry) => findWords(asked, sorry));
    if (answer) settle(answer); // else typed on meanwhile
  }

  /** Find the rows with the words of a question in this page; `sorry` says why the server was not asked. */
  async function findWords(asked, sorry = null) {
    const says = $("results-says");
    const percent = (share) => { says.textContent = `Reading the rows for the first search: ${Math.round(100 * share)}%`; };
    if (index.done < 1) percent(index.done);
    await index.build(percent);
    if (asked !== state.query.trim() || state.like !== null || (sorry && !server.failed)) return; // typed on meanwhile
    settle({ ...NONE, ...index.search(asked), sorry });
  }

  /** Show what was found, and light it on the map. */
  function settle(next) {
    found = next;
    const rows = found.hits.map((hit) => hit.row).filter((row) => row !== null);
    cross.set("search", $("results").hidden ? null : passRows(state.like === null ? rows : [state.like, ...rows]));
    relight();
    showHits();
    showPanel();
    if (facets) showCondition(); // which says whether the search is part of it
  }

  function showHits() {
    if ($("results").hidden) return;
    const asked = state.query.trim();
    const hits = found.hits.filter((hit) => hit.row === null || filtered(hit.row));
    if (state.like !== null) $("results-says").replaceChildren("Nearest in meaning to ", make("b", { dir: "auto" }, data.id(state.like)), ", by the vectors");
    else $("results-says").replaceChildren(...(found.says?.(hits.length) ?? [found.sorry && `${found.sorry} `, ...saying(asked, hits.length)].filter(Boolean)));
    const draw = (hit) => (hit.answer ? server.card(hit, act) : rowCard(data, hit.row, act, {
      terms: found.terms, score: state.like !== null && hit.score !== null ? `cosine ${hit.score.toFixed(3)}` : null,
      text: found.spans?.get(hit.row) && markSpans(data.text(hit.row), found.spans.get(hit.row)),
    }));
    const shown = state.like !== null ? [{ row: state.like, score: null }, ...hits] : hits;
    listInto($("hits"), shown, draw);
    $("hits").scrollTop = 0;
    showByMeaning(asked);
  }

  /** How many rows were found; where there are none, words that begin like the last one typed. */
  function saying(asked, count) { // of those that pass the filters
    const left = found.without.length ? `; rows with ${found.without.join(" or ")} left out` : "";
    if (found.wrong) return [`This is no regular expression that can be used: ${found.wrong}. Write for instance /colou?r/i; words without the strokes are looked up as words.`];
    if (found.expression) {
      const stopped = found.stopped === null ? "" : `. Stopped after ${REGEX_SECONDS} seconds near row ${thousands(found.stopped)} of ${thousands(data.n)}: on some text this expression takes too long`;
      return [`${plural(count, "row")} ${count === 1 ? "matches" : "match"} ${asked}, in the order of the rows${stopped}.`];
    }
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
        : found.expression || found.wrong ? `The expression is JavaScript's, held against each text${data.texts.length ? `, of which this file has the first ${data.head.text_length} characters` : ""}, id and column of words. After the last stroke i ignores case, s lets . pass ends of lines, m lets ^ and $ hold at lines.`
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
      if (event.key === "Escape" && !typing) change({ filters: new Map(), selection: null, row: null });
    });
  }

  const hasRegex = () => Boolean(found.expression || found.wrong);

  function showChips() {
    const chip = (words, undo) => make("button", { type: "button", className: "chip", title: "Take this filter off", on: { click: () => change(undo) } }, make("span", { dir: "auto" }, words));
    const all = () => [
      ...[...state.filters].map(([key, filter]) => chip(filterWords(column.get(key), filter), { filters: withFilter(state.filters, key, null) })),
      state.selection && chip(`${plural(state.selection.length, "row")} selected on the map`, { selection: null }),
    ].filter(Boolean);
    $("chips").replaceChildren(...all());
    if (!$("facet-chips")) return;
    const search = state.like !== null ? `like ${data.id(state.like)}` : state.query.trim();
    const chips = [...all(), search && chip(`Search: ${search}`, { query: "", like: null })].filter(Boolean);
    if (chips.length > 1) chips.push(make("button", { type: "button", className: "word", id: "clear-all", on: { click: clearAll } }, "Clear all"));
    $("facet-chips").replaceChildren(...chips);
    showCondition();
  }

  function clearAll() {
    $("q").value = "";
    change({ filters: new Map(), selection: null, row: null, query: "", like: null });
  }

  /** The filters as the command line has them. */
  function showCondition() {
    const { text, untold } = conditionFor(columns, state.filters);
    const place = $("condition");
    place.hidden = !state.filters.size;
    if (place.hidden) return;
    const query = state.like === null && !hasRegex() && state.query.trim();
    const where = `--where ${shellQuoted(text)}`;
    const command = data.head.search_command && query ? `${commandFor(data.head.search_command, query)} ${where}` : where;
    const left = [...untold, state.selection && "the rows selected on the map", hasRegex() && "the regular expression", state.like !== null && "the search for rows like one"].filter(Boolean);
    place.replaceChildren(...[
      text && text.length <= LONGEST_CONDITION && make("p", {}, query && data.head.search_command ? "The same filter on the command line:" : "The same filter on the command line, after any search:"),
      text && text.length <= LONGEST_CONDITION && make("div", { className: "command" }, make("code", {}, command), make("button", { type: "button", className: "quiet", data: { copy: command } }, icon("copy"), make("span", {}, "Copy"))),
      text.length > LONGEST_CONDITION && make("p", {}, "As a condition of the command line this filter is too long."),
      left.length > 0 && make("p", {}, `Not in it: ${left.join(", ")}.`),
    ].filter(Boolean));
  }

  // --- map ----------------------------------------------------------------------------------------------------------
  let colouring = null;
  let sizing = null;
  function paint() {
    if (!map) return;
    const dark = isDark();
    if (colouring?.key !== state.colour || colouring.dark !== dark) {
      const one = colouringOf(column.get(state.colour)) ?? { of: new Uint16Array(data.n), colours: [rgb(cssColour("--accent"))] };
      colouring = { ...one, key: state.colour, dark, dim: rgb(cssColour("--dim")), background: rgb(cssColour("--map")) };
    }
    if ((sizing?.key ?? "") !== state.size) sizing = state.size ? { key: state.size, levels: sizingOf(column.get(state.size)) } : null;
    map.paint = { ...colouring, sizes: sizing?.levels, lit, within, count, anyDim: count < data.n };
    map.chosen = state.row;
    map.mates = state.row !== null && data.neighbors ? data.mates(state.row).map((mate) => mate.row) : [];
    for (const button of $("names").querySelectorAll("button")) button.setAttribute("aria-pressed", String(state.group === Number(button.dataset.group)));
    $("lit-says").replaceChildren(make("b", {}, thousands(count)), ` of ${plural(data.n, "row")}`);
    $("lit-says").classList.toggle("some", count < data.n);
    map.moved();
  }

  function showLegend() {
    if (!map) return;
    const one = column.get(state.colour);
    const size = column.get(state.size);
    const sized = size && make("p", { className: "scale-notes" }, `Size: ${size.title}, ${scaleOf(size).logarithmic ? "by powers, " : ""}small is ${sizeEnds(size)[0]}, large is ${sizeEnds(size)[1]}.`);
    if (!one) return $("legend").replaceChildren(...[sized].filter(Boolean));
    if (one.kind !== "category") return $("legend").replaceChildren(...[...scaleLegend(one), sized].filter(Boolean));
    const d = columns.indexOf(one);
    const counts = totals[d] ??= countsWithout(d);
    const pressed = (i) => state.filters.get(one.key)?.names.has(i) ?? false;
    const click = (i) => {
      const again = pressed(i) && state.filters.get(one.key).names.size === 1;
      change({ filters: withFilter(state.filters, one.key, again ? null : { names: new Set([i]) }), selection: null, row: null });
      showSide("panel");
    };
    $("legend").replaceChildren(...[...namesLegend(one, counts, pressed, click), sized].filter(Boolean));
  }

  const sizeEnds = (size) => [scaleOf(size).from, scaleOf(size).to].map((value) => (size.kind === "date" ? day(value) : digits(value, size.whole)));
  const totals = [];
  /** How many rows have each name, whatever is filtered. */
  function countsWithout(d) {
    return new CrossFilter(data.n, [columns[d]], []).countsOf(0);
  }

  /** Show the filters or the rows beside the map. */
  function showSide(name) {
    for (const button of document.querySelectorAll("[data-side]")) {
      button.setAttribute("aria-pressed", String(button.dataset.side === name));
      $(button.dataset.side).hidden = button.dataset.side !== name;
    }
    if (name === "facets") facets?.update(state.filters);
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
    for (const mark of $("names").querySelectorAll("span")) mark.remove();
    clearTimeout(resting);
    resting = setTimeout(() => placeAreas(free, taken), 150);
  }

  /** Words of small areas where the names of the groups have left room, once the map has come to rest. */
  let resting = null;
  function placeAreas(free, taken) {
    const named = new Set();
    for (const { word, x, y } of areas.inView()) {
      const [sx, sy] = map.toScreen(x, y);
      const half = 3.6 * word.length + 4;
      const box = [sx - half, sy - 9, sx + half, sy + 9];
      if (named.has(word) || !free(box)) continue;
      taken.push(box);
      named.add(word);
      const mark = make("span", { className: "area", dir: "auto", "aria-hidden": "true" }, word);
      mark.style.transform = `translate(${sx}px, ${sy}px) translate(-50%, -50%)`;
      $("names").append(mark);
    }
  }

  function startMap() {
    if (!data.x) return;
    const tip = $("tip");
    let centres = [];
    map = Object.assign(drawn, {
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
      onSelect: select,
      onView: () => { placeNames(centres); address.saveSoon(); },
    });
    const rowsOf = data.groups.map(() => []);
    for (let i = 0; i < data.n; i++) rowsOf[data.group(i)?.rank]?.push(i);
    areas = new Areas(data, map, index.language);
    centres = data.groups.map((group, rank) => {
      const rows = rowsOf[rank];
      const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
      const button = make("button", { type: "button", dir: "auto", data: { group: group.id }, tabIndex: -1 }, group.name);
      $("names").append(button);
      return { button, x: middle(rows.map((i) => map.x[i])), y: middle(rows.map((i) => map.y[i])), width: button.offsetWidth };
    });
    for (const button of document.querySelectorAll("[data-tool]")) {
      button.addEventListener("click", () => {
        map.setTool(button.dataset.tool);
        $("modes").hidden = map.tool === "pan";
        for (const other of document.querySelectorAll("[data-tool]")) other.setAttribute("aria-pressed", String(other === button));
      });
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => (Number(button.dataset.zoom) ? map.zoom(Number(button.dataset.zoom)) : map.whole()));
    }
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => {
        map.mode = button.dataset.mode;
        for (const other of document.querySelectorAll("[data-mode]")) other.setAttribute("aria-pressed", String(other === button));
      });
    }
    const option = (value, words) => make("option", { value }, words);
    $("colour").replaceChildren(...columns.map(({ key, title }) => option(key, title)));
    $("colour").value = state.colour;
    $("colour").addEventListener("change", () => change({ colour: $("colour").value }));
    $("colour").closest("label").hidden = !columns.length;
    const scales = columns.filter(({ kind }) => kind !== "category");
    $("point-size").replaceChildren(option("", "nothing"), ...scales.map(({ key, title }) => option(key, title)));
    $("point-size").addEventListener("change", () => change({ size: $("point-size").value }));
    $("point-size").closest("label").hidden = !scales.length;
    facets = new Facets($("facet-list"), columns, cross, (key, filter, live) => {
      change({ filters: withFilter(state.filters, key, filter), row: null }, { live });
    });
    if (data.head.left_out.length) $("left-out").replaceChildren(`Not in this file, for its size: ${data.head.left_out.join(", ")}.`);
    for (const button of document.querySelectorAll("[data-side]")) button.addEventListener("click", () => showSide(button.dataset.side));
    map.resize();
  }

  /** What a line drawn around rows does: a new selection, more of it, or only what is in both. */
  function select(rows, how) {
    const before = new Set(state.selection);
    if (how === "narrow" && state.selection) rows = rows.filter((row) => before.has(row));
    if (how === "add") rows = [...new Set([...before, ...rows])].sort((a, b) => a - b);
    change({ selection: rows.length ? rows : null, row: null });
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
    let rows = state.selection?.filter(filtered);
    let title = rows && `${plural(rows.length, "row")} selected${rows.length < state.selection.length ? `, of ${thousands(state.selection.length)}; the others do not pass the filters` : ""}`;
    if (!rows && state.filters.size) {
      rows = [];
      for (let i = 0; i < data.n; i++) if (filtered(i)) rows.push(i);
      title = state.filters.size === 1 ? `${filterWords(...[...state.filters].map(([key, filter]) => [column.get(key), filter])[0])}: ${plural(rows.length, "row")}` : plural(rows.length, "row");
    }
    if (!rows) {
      return panel.replaceChildren(make("h3", {}, "Nothing chosen"), make("p", { className: "faint" },
        "Click a point for its row and its nearest rows. Take Box or Lasso, or hold Shift and drag, to select many: a new line replaces what is selected, with Shift it adds, with Alt it narrows (only rows in both stay), Escape lets go. Click a name on the map to see one group."));
    }
    const list = make("div");
    listInto(list, rows, (row) => rowCard(data, row, act, { small: true }));
    panel.replaceChildren(make("h3", { dir: "auto" }, title), make("div", { className: "panel-do" },
      make("button", { type: "button", className: "quiet", id: "download-chosen", on: { click: () => download(rows, "rows") } }, icon("down"), "Download as CSV"),
      takeRows(data, rows),
      close({ selection: null, filters: new Map() })), list);
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
  addEventListener("codomain-theme", () => { colourGroups(); paint(); showLegend(); showHits(); showPanel(); facets?.update(); });

  // --- the address --------------------------------------------------------------------------------------------------
  const rowOf = (id) => {
    for (let i = 0; i < data.n; i++) if (data.id(i) === id) return i;
    return null;
  };
  const address = new Address(() => [
    ["q", state.query.trim()],
    ["like", state.like === null ? null : data.id(state.like)],
    ["where", conditionFor(columns, state.filters).text],
    ["colour", state.colour === usualColour ? null : state.colour],
    ["size", state.size],
    ["row", state.row === null ? null : data.id(state.row)],
    ["rows", state.selection && writeRanges(state.selection).length <= LONGEST_RANGES ? writeRanges(state.selection) : null],
    ["view", map && map.fit && !map.isWhole() ? map.view().map((value) => Number(value.toFixed(5))).join(",") : null],
  ], (parts) => {
    const known = (name) => (column.has(parts.get(name)) ? parts.get(name) : null);
    const where = parts.get("where") ?? "";
    const filters = readCondition(columns, where);
    const row = parts.has("row") ? rowOf(parts.get("row")) : null;
    const selection = parts.has("rows") ? readRanges(parts.get("rows"), data.n) : null;
    const unknown = [filters === null && `the filter ${where}`, parts.has("row") && row === null && `the row ${parts.get("row")}`, parts.has("colour") && !known("colour") && `the column ${parts.get("colour")}`].filter(Boolean);
    $("address-says").hidden = !unknown.length;
    $("address-says").textContent = `The address asks for what this file does not have or cannot read: ${unknown.join("; ")}.`;
    $("q").value = parts.get("q") ?? "";
    change({
      query: parts.get("q") ?? "", like: parts.has("like") ? rowOf(parts.get("like")) : null, filters: filters ?? new Map(), row,
      selection: selection?.length ? selection : null, colour: known("colour") ?? usualColour, size: known("size") ?? "",
    });
    if (!map) return;
    const view = (parts.get("view") ?? "").split(",").map(Number);
    if (view.length === 3 && view.every(Number.isFinite)) map.look(view);
    else map.whole();
  });
  startSearch();
  startMap();
  colourGroups();
  paint();
  showLegend();
  showPanel();
  showChips();
  address.start();
  fillFindings(data, act, change);
  $("download").disabled = false;
  return { data, state, change, index, columns, cross, address, server, get map() { return map; }, get facets() { return facets; }, get areas() { return areas; } };
}

startTheme();
startCopying();
if (typeof DecompressionStream === "undefined") {
  $("cannot").textContent = "This browser cannot unpack the rows, so search, the map and the download are off; the numbers below can be read. Chrome or Edge from 80, Firefox from 113 and Safari from 16.4 can.";
  $("cannot").hidden = false;
  if ($("map-wait")) $("map-wait").textContent = "This browser cannot unpack the rows.";
} else {
  let map = null;
  unpackAll((data) => { map = drawFirst(data); }).then((data) => {
    window.codomain = startPage(data, map);
    root.dataset.ready = "";
    performance.mark("ready");
  }).catch((error) => {
    $("cannot").textContent = `The rows in this file could not be read (${error.message}). The file may have been cut short: copy it again.`;
    $("cannot").hidden = false;
  });
}
