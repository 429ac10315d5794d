// Rows as people read them: cards, lists, pairs, and the table to take away.

/** Which words of two texts the other lacks, by their longest common sequence. */
function differing(one, two) {
  const [a, b] = [one, two].map((text) => text.split(/(\s+)/));
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const nodes = [[], []];
  const put = (side, word, differs) => nodes[side].push(differs && word.trim() ? make("mark", {}, word) : word);
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { put(0, a[i++], false); put(1, b[j++], false); }
    else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) put(0, a[i++], true);
    else put(1, b[j++], true);
  }
  return nodes;
}

const HIDDEN_COLUMN = (name, value, text) => value === null || value === undefined || value === "" || value === text;

function groupChip(group, act) {
  const chip = make("button", { type: "button", className: "group-chip", title: `Show only ${group.name}`, on: { click: () => act.group(group.id) } },
    make("span", { dir: "auto" }, group.name));
  chip.style.setProperty("--c", act.colour(group.id));
  return chip;
}

/** One row with everything that is known of it and what can be done with it. */
function rowCard(data, row, act, { terms = [], score = null, text = null, small = false, caption = null } = {}) {
  const mark = (words) => highlight(words, terms, act.language);
  const group = data.group(row);
  const words = data.text(row);
  const label = data.labelIsColumn ? null : data.label(row);
  const shown = Object.entries(data.columns).filter(([name, values]) => !HIDDEN_COLUMN(name, values[row], words));
  return make("article", { className: small ? "row small" : "row", data: { id: row } },
    caption && make("p", { className: "row-caption", dir: "auto" }, ...caption),
    make("div", { className: "row-head" },
      make("span", { className: "row-id", dir: "auto" }, ...mark(data.id(row))),
      group && groupChip(group, act),
      ...data.flagged(row).map((check) => make("span", { className: "flag", title: check.says }, icon("watch"), check.title)),
      score && make("span", { className: "row-score" }, score)),
    (text || words) && make("p", { className: "row-text", dir: "auto" }, ...(text ?? mark(words))),
    !small && (shown.length > 0 || label !== null) && make("dl", {},
      label !== null && make("div", {}, make("dt", {}, "label"), make("dd", { dir: "auto" }, label)),
      ...shown.map(([name, values]) => make("div", {}, make("dt", { dir: "auto" }, name), make("dd", { dir: "auto" }, ...mark(String(values[row])))))),
    make("div", { className: "row-do" },
      (data.neighbors || act.unlike) && make("button", { type: "button", className: "quiet more-like", on: { click: () => act.like(row) } }, "More like this"),
      act.unlike && make("button", { type: "button", className: "quiet less-like", on: { click: () => act.unlike(row) } }, "Less like this"),
      data.x && make("button", { type: "button", className: "quiet", on: { click: () => act.onMap(row) } }, "Show on map"),
      act.tools?.(row)));
}

/** Put the keyboard where new rows begin, for the button that was pressed is gone. */
function focusOn(node) {
  node.tabIndex = -1;
  node.focus({ preventScroll: true });
}

/** Show rows a few at a time, so that a list of 50,000 costs no more than a list of 20. */
function listInto(place, entries, draw, step = 20) {
  let shown = 0;
  const button = make("button", { type: "button", on: { click: () => more(true) } });
  const rest = make("p", { className: "more" }, button);
  function more(clicked) {
    rest.remove();
    const cards = entries.slice(shown, shown + step).map(draw);
    place.append(...cards);
    shown += step;
    if (shown < entries.length) {
      button.textContent = `Show ${Math.min(step, entries.length - shown)} more of ${thousands(entries.length)}`;
      place.append(rest);
    }
    if (clicked) focusOn(cards[0]);
  }
  place.replaceChildren();
  more();
}

/** A cell as CSV holds it. Only texts are made safe: a number may begin with a minus. */
function cell(value, safe) {
  if (value === null || value === undefined) return "";
  let text = String(value).replaceAll("\0", "");
  if (safe && typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The given rows of the user's table with the study's columns after them. */
function toCsv(data, rows, safe) {
  const own = Object.keys(data.columns);
  const columns = [["id", data.id]];
  if (data.texts.length && !own.includes("text")) columns.push(["text", data.text]);
  for (const name of own) if (name !== "id") columns.push([name, (i) => data.columns[name][i]]);
  if (data.user_labels && !data.labelIsColumn && !own.includes("label")) columns.push(["label", data.label]);
  const taken = new Set(columns.map(([name]) => name));
  const add = (name, value) => columns.push([taken.has(name) ? `codomain_${name}` : name, value]);
  add("group", (i) => (data.labels ? data.labels[i] : null));
  add("group_name", (i) => data.group(i)?.name ?? null);
  add("map_x", (i) => (data.mapX ? Number(data.mapX(i).toFixed(5)) : null));
  add("map_y", (i) => (data.mapY ? Number(data.mapY(i).toFixed(5)) : null));
  add("flags", (i) => data.flagged(i).map((check) => check.kind).join(";"));
  add("kept", (i) => (data.keptShare ? Number(data.keptShare(i).toFixed(4)) : null));
  const line = (cells) => `${cells.map((value) => cell(value, safe)).join(",")}\r\n`;
  const lines = ["\ufeff", line(columns.map(([name]) => name))];
  for (const row of rows) lines.push(line(columns.map(([, value]) => value(row))));
  return new Blob(lines, { type: "text/csv;charset=utf-8" });
}

function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
