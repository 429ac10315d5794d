// The rows, unpacked from the blocks at the end of the page.

const $ = (id) => document.getElementById(id);

/** Build an element. Text always becomes a text node, so a row can never become markup. */
function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

const breathe = () => new Promise((done) => setTimeout(done));
const grouped = new Intl.NumberFormat("en-US");
const thousands = (count) => grouped.format(count);
const plural = (count, one) => `${thousands(count)} ${one}${count === 1 ? "" : "s"}`;

const TYPES = { Uint8Array, Int16Array, Uint16Array, Int32Array };

function bytesOf(letters) {
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Turn one block back into its typed array or JSON value; null when the study left none. */
async function unpack(name) {
  const block = $(`b-${name}`);
  if (!block) return null;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(block.textContent) : bytesOf(atob(block.textContent));
  const plain = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
  const { kind } = block.dataset;
  block.remove(); // the letters are not needed twice
  return kind === "json" ? JSON.parse(await plain.text()) : new TYPES[kind](await plain.arrayBuffer());
}

/** All blocks; `first` is given those that a map needs, before the long ones are read. */
async function unpackAll(first = () => {}) {
  const data = {};
  const read = async (names) => {
    const values = await Promise.all(names.map(unpack));
    names.forEach((name, i) => { data[name] = values[i]; });
  };
  await read(["head", "x", "y", "labels"]);
  first(data);
  await breathe(); // let the browser show it
  await read(["texts", "ids", "columns", "flags", "user_labels", "neighbors", "kept", "scores"]);
  const { n, k, groups, checks, reals } = data.head;
  const real = (name) => (i) => reals[name][0] + reals[name][1] * data[name][i];
  const byId = new Map(groups.map((group, rank) => [group.id, { ...group, rank }]));
  const picked = checks.map((check) => new Set([...(check.rows ?? []), ...(check.findings ?? []).map((found) => found.row)]));
  const label = (i) => (data.user_labels ? data.head.label_names[data.user_labels[i]] : null);
  const isLabel = (values) => data.user_labels && values.every((value, i) => (typeof value === "boolean" ? String(value) === label(i).toLowerCase() : String(value ?? "") === label(i)));
  return {
    ...data, n, k, groups, checks, byId,
    title: data.head.title,
    labelNames: data.head.label_names,
    text: (i) => data.texts[i] ?? "",
    id: (i) => data.ids[i] ?? String(i),
    group: (i) => (data.labels ? byId.get(data.labels[i]) ?? null : null),
    label,
    isLabel,
    /** Whether one of the columns is the labels already, so that they need not be shown twice. */
    labelIsColumn: Object.values(data.columns).some(isLabel),
    mapX: data.x && real("x"),
    mapY: data.y && real("y"),
    keptShare: data.kept && real("kept"),
    /** The row's nearest rows and their cosines, nearest first. */
    mates(i) {
      const found = [];
      for (let j = i * k; j < (i + 1) * k; j++) {
        const row = data.neighbors[j];
        if (row < n && row !== i) found.push({ row, score: data.scores ? real("scores")(j) : null });
      }
      return found;
    },
    /** Checks that picked the row: by their bit where the study says which, else by their lists. */
    flagged(i) {
      return checks.filter((check, c) => {
        const bit = data.head.bits[check.kind];
        return bit && data.flags ? data.flags[i] & bit : picked[c].has(i);
      });
    },
  };
}
