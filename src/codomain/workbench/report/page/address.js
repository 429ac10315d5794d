// The page's address says what it shows: #q=words&where=...&colour=column&size=column&row=ID&rows=1-5,9&view=x,y,zoom.

/** Row numbers in order as ranges: 1-5,9. */
function writeRanges(rows) {
  const parts = [];
  for (let i = 0; i < rows.length; i++) {
    const first = rows[i];
    while (rows[i + 1] === rows[i] + 1) i++;
    parts.push(first === rows[i] ? `${first}` : `${first}-${rows[i]}`);
  }
  return parts.join(",");
}

/** Row numbers below n of such ranges, in order; null when they are written otherwise. */
function readRanges(text, n) {
  const rows = new Set();
  for (const part of text.split(",")) {
    const found = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!found) return null;
    const last = Math.min(Number(found[2] ?? found[1]), n - 1);
    for (let row = Number(found[1]); row <= last; row++) rows.add(row);
  }
  return [...rows].sort((a, b) => a - b);
}

const LONGEST_RANGES = 6000; // characters; a longer selection is not kept in the address

class Address {
  /** `read` gives what to write as [name, value] pairs, `restore` gets a Map of what an address says. */
  constructor(read, restore) {
    Object.assign(this, { read, restore });
    this.busy = false;
    addEventListener("popstate", () => this.#arrive());
  }

  /** The first reading; what is behind # without "=" is a place on the page. */
  start() {
    if (location.hash.includes("=")) this.#arrive();
  }

  #text() {
    const parts = new URLSearchParams(this.read().filter(([, value]) => value !== null && value !== undefined && value !== ""));
    return parts.toString();
  }

  #arrive() {
    const written = location.hash.slice(1);
    if (written && !written.includes("=")) { // a link to a section: what the page shows stays, and stays in the address
      const text = this.#text();
      if (text) history.replaceState(null, "", `#${text}&at=${written}`);
      return;
    }
    this.busy = true;
    const parts = new Map(new URLSearchParams(written));
    try { this.restore(parts); } finally { this.busy = false; }
    if (parts.has("at")) document.getElementById(parts.get("at"))?.scrollIntoView();
  }

  /** Write what the page shows now, as a new step of the history or over the present one. */
  save(step) {
    if (this.busy) return;
    const text = this.#text();
    const at = new URLSearchParams(location.hash.slice(1)).get("at");
    if (text === new URLSearchParams([...new URLSearchParams(location.hash.slice(1))].filter(([name]) => name !== "at")).toString()) return;
    const address = text ? `#${text}${step || !at ? "" : `&at=${at}`}` : location.pathname + location.search;
    try { history[step ? "pushState" : "replaceState"](null, "", address); } catch { /* too many changes at once: the next one writes it */ }
  }

  /** Write soon, over the present step: for what moves all the time. */
  saveSoon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.save(false), 400);
  }
}
