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
function rowCard(data, row, act, { terms = [], score = null, text = null, small = false } = {}) {
  const mark = (words) => highlight(words, terms, act.language);
  const group = data.group(row);
  const words = data.text(row);
  const label = data.labelIsColumn ? null : data.label(row);
  const shown = Object.entries(data.columns).filter(([name, values]) => !HIDDEN_COLUMN(name, values[row], words));
  return make("article", { className: small ? "row small" : "row", data: { id: row } },
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
      data.neighbors && make("button", { type: "button", className: "quiet more-like", on: { click: () => act.like(row) } }, "More like this"),
      data.x && make("button", { type: "button", className: "quiet", on: { click: () => act.onMap(row) } }, "Show on map")));
}

/** Show rows a few at a time, so that a list of 50,000 costs no more than a list of 20. */
function listInto(place, entries, draw, step = 20) {
  let shown = 0;
  const button = make("button", { type: "button", on: { click: () => more() } });
  const rest = make("p", { className: "more" }, button);
  function more() {
    rest.remove();
    place.append(...entries.slice(shown, shown + step).map(draw));
    shown += step;
    if (shown >= entries.length) return;
    button.textContent = `Show ${Math.min(step, entries.length - shown)} more of ${thousands(entries.length)}`;
    place.append(rest);
  }
  place.replaceChildren();
  more();
}

/** What a check found: single rows, or pairs side by side with the words that differ marked. */
function findingCard(data, found, act) {
  const { row, other } = found;
  const pair = Number.isInteger(other) && other >= 0 && other < data.n && other !== row;
  const why = found.why && make("p", { className: "why", dir: "auto" }, found.why);
  if (!pair) return make("div", { className: "finding" }, why, rowCard(data, row, act));
  const [one, two] = data.text(row) ? differing(data.text(row), data.text(other)) : [null, null];
  return make("div", { className: "finding" }, why,
    make("div", { className: "pair" }, rowCard(data, row, act, { text: one }), rowCard(data, other, act, { text: two })));
}

function fillFindings(data, act) {
  for (const place of document.querySelectorAll("[data-check]")) {
    const check = data.checks[place.dataset.check];
    const findings = check.findings?.length ? check.findings : (check.rows ?? []).map((row) => ({ row }));
    const draw = (found) => findingCard(data, found, act);
    place.replaceChildren(...findings.slice(0, 3).map(draw));
    if (findings.length <= 3) continue;
    const all = findings.length < check.count ? `Show the worst ${thousands(findings.length)} of ${thousands(check.count)}` : `Show all ${thousands(findings.length)}`;
    const button = make("button", { type: "button" }, all);
    const rest = make("p", { className: "more" }, button);
    button.addEventListener("click", () => { rest.remove(); listInto(place, findings, draw); });
    place.after(rest);
  }
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
