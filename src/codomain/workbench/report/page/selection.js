// What can be done with chosen rows: a table of them, a condition that names them, and labels for them.

const LONGEST_CONDITION_TYPED = 4000; // characters that a condition may have on the command line
const LONGEST_COMMAND = 60000; // characters that any shell takes

/** Row numbers as they are written for a program: 1,5-9. */
function rowRanges(rows) {
  const ordered = [...rows].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i < ordered.length; i++) {
    const first = ordered[i];
    while (ordered[i + 1] === ordered[i] + 1) i++;
    parts.push(first === ordered[i] ? `${first}` : `${first}-${ordered[i]}`);
  }
  return parts.join(",");
}

/** A condition that only these rows meet, by their ids; null where it is too long to be typed. */
function idCondition(data, rows) {
  const { id_column: name, numeric_ids: numbers } = data.head;
  if (name.includes("`")) return null;
  const written = rows.slice(0, LONGEST_CONDITION_TYPED).map((row) => (numbers ? data.id(row) : JSON.stringify(data.id(row))));
  const condition = `\`${name}\` in (${written.join(", ")})`;
  return condition.length > LONGEST_CONDITION_TYPED ? null : condition;
}

const quoteForShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function copyLine(text) {
  return make("div", { className: "command" }, make("code", { tabIndex: 0 }, text), // long ones scroll, also by keys
    make("button", { type: "button", className: "quiet", data: { copy: text } }, icon("copy"), make("span", {}, "Copy")));
}

/** Labels that a person gives in this page, by row; they are kept until the page is closed. */
const givenLabels = new Map();

/** The ids and labels given here, as `codomain label SPACE --from FILE` reads them. */
function labelFile(data) {
  const line = (...cells) => `${cells.map((value) => quotedCell(value)).join(",")}\r\n`;
  const rows = [...givenLabels].sort(([a], [b]) => a - b).map(([row, name]) => line(data.id(row), name));
  return new Blob([line(data.head.id_column, data.head.id_column === "label" ? "given_label" : "label"), ...rows], { type: "text/csv;charset=utf-8" });
}

const quotedCell = (value) => `"${String(value).replaceAll("\0", "").replaceAll('"', '""')}"`;

/** Ways to take chosen rows away besides CSV. */
function takeRows(data, rows) {
  const { space, server } = data.head;
  const ranges = rowRanges(rows);
  const condition = idCondition(data, rows);
  const typed = condition ? `--where ${quoteForShell(condition)}` : ranges.length < LONGEST_COMMAND ? `--rows ${ranges}` : null;
  const parquet = make("section", {}, make("h4", {}, "As parquet"));
  if (server) parquet.append(make("p", {}, make("a", { href: `rows.parquet?rows=${ranges}`, download: "rows.parquet" }, `Download ${plural(rows.length, "row")} as parquet`)));
  else if (!space) parquet.append(make("p", {}, "This report lies by no space, so there is no command that makes it; the CSV has the same columns."));
  else if (!typed) parquet.append(make("p", {}, "Too many single rows for one command: draw around fewer, or filter by a column."));
  else parquet.append(copyLine(`codomain export ${space} rows.parquet ${typed}`));
  const filter = make("section", {}, make("h4", {}, "As a filter"),
    make("p", {}, condition ? "A condition for codomain search --where and codomain export --where:" : `Their ids make a condition longer than the ${thousands(LONGEST_CONDITION_TYPED)} characters that --where takes. By their numbers, for codomain export --rows:`),
    copyLine(condition ?? ranges));
  return make("details", { className: "take-rows" }, make("summary", {}, "Parquet, filter, label"), parquet, filter, labelTools(data, rows));
}

/** A name for the chosen rows, and the file of all labels given so far. */
function labelTools(data, rows) {
  const field = make("input", { type: "text", autocomplete: "off", maxLength: 200, "aria-label": "Name of the label", list: "label-names" });
  const says = make("p", { role: "status", className: "label-says" });
  const take = make("div");
  const names = make("datalist", { id: "label-names" });
  const show = () => {
    const counts = new Map();
    for (const name of givenLabels.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
    names.replaceChildren(...[...new Set([...counts.keys(), ...data.labelNames])].slice(0, 500).map((value) => make("option", { value })));
    if (!givenLabels.size) return take.replaceChildren();
    const file = "labels.csv";
    take.replaceChildren(
      make("p", { dir: "auto" }, "Labelled in this page: ", [...counts].map(([name, count]) => `${plural(count, "row")} “${name}”`).join(", "), "."),
      make("div", { className: "panel-do" },
        make("button", { type: "button", className: "quiet", id: "download-labels", on: { click: () => save(labelFile(data), file) } }, icon("down"), `Download ${plural(givenLabels.size, "label")}`),
        make("button", { type: "button", className: "quiet", on: { click: () => { givenLabels.clear(); show(); says.textContent = "All labels given here were dropped."; field.focus(); } } }, "Drop them")),
      counts.size < 2 && make("p", { className: "faint" }, "Labels of two classes at least are needed, here or in the space."),
      space(file));
  };
  const space = (file) => (data.head.space
    ? make("div", {}, make("p", {}, "Then, in the folder of the file; --ask 0 keeps the labels that are there already:"), copyLine(`codomain label ${data.head.space} --from ${file} --ask 0`))
    : "");
  const form = make("form", { className: "label-form", on: { submit: (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (!name) { says.textContent = "Type a name first."; return field.focus(); }
    const other = rows.filter((row) => givenLabels.has(row) && givenLabels.get(row) !== name).length;
    for (const row of rows) givenLabels.set(row, name);
    says.textContent = `${plural(rows.length, "row")} labelled “${name}”${other ? `, ${thousands(other)} of them otherwise before` : ""}.`;
    show();
  } } }, field, make("button", { type: "submit", className: "quiet" }, `Label ${plural(rows.length, "row")}`));
  show();
  return make("section", {}, make("h4", {}, "As a label"), form, names, says, take);
}
