// What the rows can be coloured, sized and filtered by: what the study found, and the columns of the table.

const DAY = 86400000;

/** Milliseconds since 1970 of a date in ISO form, a moment without a zone taken as it stands; NaN for none. */
function moment(text, kind) {
  if (text === null || text === undefined) return NaN;
  if (kind?.form === "day" || kind?.zone) return Date.parse(text);
  if (kind?.form === "moment") return Date.parse(`${text}Z`);
  const written = String(text).replace(" ", "T");
  return Date.parse(/T/.test(written) && !/(Z|[+-]\d\d:?\d\d(:\d\d)?)$/.test(written) ? `${written}Z` : written);
}

/** A column of names: `bins` holds the number of each row's name, `names.length` where there is none. */
function categoryColumn(key, title, values, more = {}) {
  const counts = new Map();
  for (const value of values) if (value !== null && value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const number = new Map(names.map((name, i) => [name, i]));
  const bins = Uint16Array.from(values, (value) => number.get(value) ?? names.length);
  return { key, title, kind: "category", names: names.map(String), bins, size: names.length + 1, missing: names.length, ...more };
}

/** A column of numbers or of milliseconds: `values` holds NaN where there is none, `bins` the bar of each row. */
function scaleColumn(key, title, kind, values, more = {}) {
  const sorted = values.slice().sort(); // NaN comes last
  const none = sorted.indexOf(NaN) < 0 && !Number.isNaN(sorted.at(-1)) ? sorted.length : sorted.findIndex(Number.isNaN);
  const known = sorted.subarray(0, none);
  const column = { key, title, kind, values, known, ...more };
  const at = (share) => known[Math.round(share * (known.length - 1))];
  Object.assign(column, { least: known[0], most: known.at(-1), low: at(0.02), high: at(0.98), at });
  column.edges = kind === "date" ? dateEdges(column) : numberEdges(column);
  const { edges } = column;
  const bars = edges.length - 1;
  column.missing = bars;
  column.size = bars + 1;
  const even = kind === "number" && edges[1] - edges[0] === edges[bars] - edges[bars - 1] && bars / (edges[bars] - edges[0]);
  column.bins = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) { column.bins[i] = bars; continue; }
    let bar = even ? Math.floor((value - edges[0]) * even) : 0;
    bar = bar < 0 ? 0 : bar >= bars ? bars - 1 : bar;
    while (bar > 0 && value < edges[bar]) bar--;
    while (bar < bars - 1 && value >= edges[bar + 1]) bar++;
    column.bins[i] = bar;
  }
  return column;
}

/** Ends of bars at round numbers. Values far out, beyond the middle 99 %, lie in the first and the last bar. */
function numberEdges({ least, most, at, whole }) {
  let [low, high] = [at(0.005), at(0.995)];
  if (high - low > 0.5 * (most - least)) [low, high] = [least, most];
  if (low > 0 && high / low > 100 && at(0.5) < low + (high - low) / 10) return powerEdges(low, high);
  if (!(high > low)) return whole ? [low, low + 1] : [low, low + (Math.abs(low) || 1)];
  const rough = (high - low) / 28;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
  if (whole) step = Math.max(1, step);
  const first = Math.floor(low / step);
  const last = whole ? Math.floor(high / step) + 1 : Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Ends of bars that grow, for values over several powers of ten: three a power, or six where there are few. */
function powerEdges(low, high) {
  const digits = high / low > 1e6 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
  const edges = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) edges.push(...digits.map((digit) => Number((digit * 10 ** power).toPrecision(2))));
  const first = edges.findLastIndex((edge) => edge <= low);
  const last = edges.findIndex((edge) => edge > high);
  return edges.slice(Math.max(0, first), last < 0 ? undefined : last + 1);
}

/** Ends of bars at whole minutes, hours, days, weeks, months or years; only at whole days where the dates have no hours. */
function dateEdges({ least, most, form }) {
  const span = most - least;
  const steps = [60000, 600000, 3600000, 6 * 3600000, DAY, 7 * DAY];
  const step = steps.find((size) => span / size <= 45 && (form === "moment" || size >= DAY));
  if (step) {
    const first = Math.floor((least - 4 * DAY * (step === 7 * DAY)) / step) * step + 4 * DAY * (step === 7 * DAY); // weeks begin on Mondays
    return Array.from({ length: Math.floor((most - first) / step) + 2 }, (_, i) => first + i * step);
  }
  const months = [1, 3, 12, 60, 120, 1200].find((count) => span / (30.4 * DAY * count) <= 45) ?? 12000;
  const begin = new Date(least);
  const month = Math.floor((begin.getUTCFullYear() * 12 + begin.getUTCMonth()) / months) * months;
  const edges = [];
  for (let i = 0; edges.length < 2 || edges.at(-1) <= most; i++) {
    const date = new Date(0);
    date.setUTCFullYear(Math.floor((month + i * months) / 12), (((month + i * months) % 12) + 12) % 12, 1);
    edges.push(date.getTime());
  }
  return edges;
}

/** Every column that the page can use, what the study found first. */
function readColumns(data) {
  const { head, n } = data;
  const columns = [];
  const every = (value) => Array.from({ length: n }, (_, i) => value(i));
  if (data.labels && data.groups.length) {
    const rank = new Map(data.groups.map((group, i) => [group.id, i]));
    columns.push({
      key: "group", title: "group", kind: "category", where: head.found.group, literals: data.groups.map((group) => group.id),
      outside: -1, none: "in no group", names: data.groups.map((group) => group.name), size: data.groups.length + 1, missing: data.groups.length,
      bins: Uint16Array.from(data.labels, (id) => rank.get(id) ?? data.groups.length),
    });
  }
  const own = Object.keys(data.columns);
  const labelColumn = own.find((name) => data.isLabel(data.columns[name]));
  if (data.user_labels && head.label_names.length < 65535) {
    const kind = head.kinds[labelColumn];
    const values = labelColumn === undefined ? [] : data.columns[labelColumn];
    const literals = new Array(head.label_names.length);
    for (let i = 0; i < values.length; i++) literals[data.user_labels[i]] ??= values[i];
    columns.push({
      key: "label", title: labelColumn ?? "your label", kind: "category", names: head.label_names, where: labelColumn ?? null,
      literals: kind ? literals : head.label_names, number: kind?.kind === "number", truth: kind?.truth,
      size: head.label_names.length + 1, missing: head.label_names.length, bins: Uint16Array.from(data.user_labels),
    });
  }
  for (const name of own) {
    const kind = head.kinds[name];
    const values = data.columns[name];
    const key = ["group", "label", "kept", "flags"].includes(name) ? `column ${name}` : name;
    if (name === labelColumn && kind.kind !== "number") continue;
    if (kind.kind === "category") columns.push(categoryColumn(key, name, values, { where: name, truth: kind.truth }));
    if (kind.kind === "number") columns.push(scaleColumn(key, name, "number", Float64Array.from(values, (value) => (value === null ? NaN : Number(value))), { where: name, whole: kind.whole, nan: kind.nan }));
    if (kind.kind === "date") columns.push(scaleColumn(key, name, "date", Float64Array.from(values, (value) => moment(value, kind)), { where: name, form: kind.form, zone: kind.zone }));
  }
  const checks = data.checks.filter((check) => head.bits[check.kind]);
  if (data.flags && checks.length) {
    columns.push({
      key: "flags", title: "suspicious rows", kind: "category", many: true, names: checks.map((check) => check.title), none: "no suspicion",
      wheres: checks.map((check) => head.found[check.kind]), where: "", bins: Uint16Array.from(data.flags, (flags) => checks.reduce((mask, check, i) => mask | (flags & head.bits[check.kind] ? 1 << i : 0), 0)),
      size: 1 << checks.length, missing: checks.length,
    });
  }
  if (data.kept) {
    // Shares of a few neighbours, sent as 65,536 steps: four digits and 32 bits are what the study has.
    columns.push(scaleColumn("kept", "neighbours kept", "number", Float64Array.from(every((i) => Math.fround(Math.round(data.keptShare(i) * 1e4) / 1e4))), { where: head.found.kept }));
  }
  return columns.filter((column) => column.size > 1 && (!column.known || column.known.length));
}

/** A number for people. */
function digits(value, whole = false) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (whole || Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : value.toLocaleString("en-US");
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/** A moment for people, as fine as the distance between bars asks. */
function day(value, step = DAY) {
  if (Number.isNaN(value)) return "–";
  const text = new Date(value).toISOString().replace(/^\+?(-?)0*(\d{4,})/, "$1$2");
  return step < DAY ? text.slice(0, 16).replace("T", " ") : text.slice(0, 10);
}
