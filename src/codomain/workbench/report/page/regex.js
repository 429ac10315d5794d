// Search by a regular expression, /like this/i, in a worker of its own: an expression that takes for ever on some text
// can be stopped there, and the page stays awake.

const REGEX_SECONDS = 3;

/** The expression in what was typed: {source, flags}, or {wrong: why}; null when it is no expression. */
function readRegex(typed) {
  const found = /^\/(.+)\/([a-z]*)$/s.exec(typed.trim());
  if (!found) return null;
  const [, source, flags] = found;
  const odd = [...flags].find((flag) => !"imsu".includes(flag));
  if (odd) return { wrong: `“${odd}” after the last / is not known; i, m, s and u are` };
  try { new RegExp(source, flags); } catch (error) { return { wrong: error.message.replace(/^Invalid regular expression: (\/.*\/[a-z]*: )?/s, "") }; }
  return { source, flags };
}

/** Runs inside the worker. Answers block by block, so that what was found before a stop is not lost. */
function regexWorker() {
  let fields = [];
  onmessage = ({ data }) => {
    if (data.fields) { fields = data.fields; return; }
    const expression = new RegExp(data.source, `${data.flags}g`);
    const holds = (text) => { expression.lastIndex = 0; return expression.test(text); };
    const named = fields.map(({ names }) => names?.map(holds));
    let [rows, spans] = [[], []];
    const n = fields[0].values.length;
    for (let row = 0; row < n; row++) {
      const marks = [];
      const text = fields[0].values[row];
      expression.lastIndex = 0;
      for (let match = expression.exec(text); match && marks.length < 10; match = expression.exec(text)) {
        marks.push(match.index, match.index + match[0].length);
        if (!match[0]) expression.lastIndex++;
      }
      if (marks.length || fields.some(({ values, bins }, f) => f && (named[f] ? named[f][bins[row]] : values[row] !== null && holds(values[row])))) {
        rows.push(row);
        spans.push(marks);
      }
      if (row % 400 === 399 || row === n - 1) {
        postMessage({ rows, spans, done: row + 1 });
        [rows, spans] = [[], []];
      }
    }
  };
}

class RegexSearch {
  constructor(data, columns) {
    this.data = data;
    this.columns = columns;
  }

  #start() {
    const address = URL.createObjectURL(new Blob([`(${regexWorker})()`], { type: "text/javascript" }));
    this.worker = new Worker(address);
    URL.revokeObjectURL(address);
    const { data } = this;
    const names = Object.keys(data.columns).filter((name) => ["text", "date"].includes(data.head.kinds[name].kind));
    const texts = (values) => values.map((value) => (value === null || value === undefined ? null : String(value)));
    this.worker.postMessage({ fields: [
      { values: Array.from({ length: data.n }, (_, i) => data.text(i)) },
      { values: Array.from({ length: data.n }, (_, i) => data.id(i)) },
      ...names.map((name) => ({ values: texts(data.columns[name]) })),
      ...this.columns.filter((column) => column.kind === "category" && !column.many && column.key !== "group").map(({ names, bins }) => ({ names, bins })),
    ] });
  }

  /** Stop what is running. */
  stop() {
    this.worker?.terminate();
    this.worker = null;
    this.finish?.(null);
    this.finish = null;
  }

  /** Rows that match, in their order, with the places in their texts; `stopped` is the row at which time ran out, or null. */
  search({ source, flags }) {
    if (this.finish) this.stop();
    if (!this.worker) this.#start();
    return new Promise((resolve, reject) => {
      const found = { hits: [], spans: new Map(), stopped: null };
      let done = 0;
      const end = (value) => { clearTimeout(timer); this.finish = null; resolve(value); };
      const timer = setTimeout(() => {
        this.finish = null;
        this.stop();
        resolve({ ...found, stopped: done });
      }, REGEX_SECONDS * 1000);
      this.finish = end;
      this.worker.onerror = (event) => { clearTimeout(timer); this.finish = null; this.stop(); reject(new Error(event.message)); };
      this.worker.onmessage = ({ data }) => {
        data.rows.forEach((row, j) => { found.hits.push({ row, score: null }); found.spans.set(row, data.spans[j]); });
        done = data.done;
        if (done === this.data.n) end(found);
      };
      this.worker.postMessage({ source, flags });
    });
  }
}

/** The text as nodes with the given places marked: [start, end, start, end ...]. */
function markSpans(text, spans) {
  const nodes = [];
  let from = 0;
  for (let j = 0; j < spans.length; j += 2) {
    if (spans[j] === spans[j + 1]) continue;
    nodes.push(text.slice(from, spans[j]), make("mark", {}, text.slice(spans[j], spans[j + 1])));
    from = spans[j + 1];
  }
  return [...nodes, text.slice(from)];
}
