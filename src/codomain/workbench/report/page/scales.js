// How the map is coloured and sized by a column, and the legend that says so.

const MOST_COLOURS = 36; // names beyond these are "other"; groups all have their own, as their names stand on the map
const STEPS = 64;
const outsideColour = () => (isDark() ? "#61706b" : "#a9b5b1");

/** From little to much: pale to deep on white, deep to pale on black. */
function rampColour(share) {
  const light = isDark() ? 0.36 + 0.54 * share : 0.87 - 0.51 * share;
  return `oklch(${light} ${0.09 + 0.06 * Math.sin(Math.PI * share)} ${isDark() ? 285 - 185 * share : 100 + 185 * share})`;
}

/** From 0 to 1 over the middle 96 % of the values, so that a few far out do not flatten the rest; logarithmic over many powers. */
function scaleOf({ kind, low, high, least, most, at }) {
  let [from, to] = high > low ? [low, high] : [least, most];
  const logarithmic = kind === "number" && from > 0 && to / from > 50 && at(0.5) < from + (to - from) / 5;
  const turn = logarithmic ? Math.log : (value) => value;
  const [a, b] = [turn(from), turn(to)];
  return { from, to, logarithmic, place: (value) => (b > a ? Math.max(0, Math.min(1, (turn(Math.max(value, logarithmic ? from : -Infinity)) - a) / (b - a))) : 0.5) };
}

/** Number of colour of each row, and the colours: [[r, g, b] ...]. */
function colouringOf(column) {
  if (!column) return null;
  const n = column.bins.length;
  if (column.kind !== "category") {
    const { place } = scaleOf(column);
    const of = new Uint16Array(n);
    for (let i = 0; i < n; i++) of[i] = Number.isNaN(column.values[i]) ? STEPS : Math.round((STEPS - 1) * (column.key === "kept" ? column.values[i] : place(column.values[i])));
    const paint = column.key === "kept" ? keptColour : rampColour;
    return { of, colours: [...Array.from({ length: STEPS }, (_, step) => rgb(paint(step / (STEPS - 1)))), rgb(outsideColour())] };
  }
  const shown = column.key === "group" ? column.names.length : Math.min(column.names.length, MOST_COLOURS);
  const number = Uint16Array.from({ length: column.size }, (_, bin) => {
    if (column.many) return bin ? 32 - Math.clz32(bin & -bin) : 0; // the first suspicion
    return bin < shown ? bin + 1 : 0;
  });
  const of = Uint16Array.from(column.bins, (bin) => number[bin]);
  return { of, colours: [rgb(outsideColour()), ...Array.from({ length: shown }, (_, rank) => rgb(rankColour(rank)))] };
}

const nameColour = (column, i) => (i < column.names.length && (column.key === "group" || i < MOST_COLOURS) ? rankColour(i) : outsideColour());

/** Eight sizes by the root of the place on the scale, so that areas grow evenly. */
function sizingOf(column) {
  if (!column) return null;
  const { place } = scaleOf(column);
  return Uint8Array.from(column.values, (value) => (Number.isNaN(value) ? 0 : Math.round(7 * Math.sqrt(place(value)))));
}

/** Round values between the ends of a scale, at most some five. */
function ticksOf(column) {
  const { from, to, logarithmic, place } = scaleOf(column);
  if (!(to > from)) return [{ value: from, at: 0.5 }];
  let ticks;
  if (column.kind === "date") ticks = [0, 1 / 3, 2 / 3, 1].map((share) => from + share * (to - from));
  else if (logarithmic) {
    const powers = Array.from({ length: Math.floor(Math.log10(to)) - Math.ceil(Math.log10(from)) + 1 }, (_, i) => 10 ** (Math.ceil(Math.log10(from)) + i));
    ticks = powers.length > 1 ? powers.slice(0, 6) : [from, to];
  } else {
    const rough = (to - from) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
    ticks = [];
    for (let value = Math.ceil(from / step) * step; value <= to + step * 1e-9; value += step) ticks.push(Number(value.toPrecision(12)));
  }
  return ticks.map((value) => ({ value, at: place(value) }));
}

/** The scale as a strip with values under it. */
function scaleLegend(column) {
  const strip = make("canvas", { width: STEPS, height: 1 });
  const pen = strip.getContext("2d");
  for (let step = 0; step < STEPS; step++) {
    pen.fillStyle = (column.key === "kept" ? keptColour : rampColour)(step / (STEPS - 1));
    pen.fillRect(step, 0, 1, 1);
  }
  if (column.key === "kept") return [make("span", { className: "ramp" }, "all neighbours lost", strip, "all kept")];
  const { from, to, logarithmic } = scaleOf(column);
  const write = (value) => (column.kind === "date" ? day(value, (to - from) / 4) : digits(value, column.whole));
  const ticks = make("span", { className: "ticks" }, ticksOf(column).map(({ value, at }) => {
    const tick = make("span", {}, write(value));
    tick.style.left = `${100 * at}%`;
    return tick;
  }));
  const missing = column.values.length - column.known.length;
  const beyond = [column.least < from && `below ${write(from)} as the first colour`, column.most > to && `above ${write(to)} as the last`].filter(Boolean).join(", ");
  const notes = [logarithmic && "by powers", beyond, missing && `${plural(missing, "row")} without a value in grey`].filter(Boolean).join("; ");
  return [make("span", { className: "scale" }, strip, ticks), notes && make("small", { className: "scale-notes" }, notes)].filter(Boolean);
}

/** Names with their colours and counts, each a button; the first hundred, then all on demand. */
function namesLegend(column, counts, pressed, click) {
  const entry = (i) => {
    const button = make("button", { type: "button", className: "group-chip", "aria-pressed": String(pressed(i)), on: { click: () => click(i) } },
      make("span", { dir: "auto" }, nameOf(column, i)), make("small", {}, thousands(counts[i])));
    button.style.setProperty("--c", nameColour(column, i));
    return button;
  };
  const entries = Array.from({ length: column.names.length + 1 }, (_, i) => i).filter((i) => counts[i] > 0);
  if (entries.length <= 100) return entries.map(entry);
  const more = make("button", { type: "button", className: "word", on: { click: () => more.replaceWith(...entries.slice(100).map(entry)) } }, `Show all ${thousands(entries.length)}`);
  return [...entries.slice(0, 100).map(entry), more];
}
