// Search by words: an inverted index, built when it is first needed, ranked by BM25. Questions are read as the command
// line reads them, `search/engine/language.py`: plain words are alternatives, "quoted words" stand together, -word leaves out.

class Language {
  constructor({ stop_words, unspaced, ignored, most_words }) {
    const some = (ranges) => ranges.map(([low, high]) => `\\u{${low.toString(16)}}-\\u{${high.toString(16)}}`).join("");
    this.stop = new Set(stop_words);
    this.scripts = unspaced;
    this.most = most_words;
    this.unspaced = new RegExp(`[${some(unspaced)}]`, "u");
    this.piece = new RegExp(`[${some(unspaced)}]\\p{M}*|[^${some(unspaced)}]+`, "gu");
    this.ignored = new RegExp(`[${some(ignored)}]`, "gu");
  }

  /** The words of a text in order, without case and accents; in scripts without spaces, the letters. */
  tokens(text) {
    if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
    const plain = text.normalize("NFKD").replace(this.ignored, "").toLowerCase().normalize("NFC").replaceAll("_", " ");
    return (plain.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? []).flatMap((word) => (this.unspaced.test(word) ? word.match(this.piece) : [word]));
  }

  phrase(part) {
    return this.tokens(part).join(" ");
  }

  pieceLength(token) {
    const code = token.codePointAt(0);
    return this.scripts.find(([low, high]) => low <= code && code <= high)?.[2] ?? 0;
  }

  /** What to look up for a word as typed: itself, or the pieces of a long run without spaces. */
  alternatives(part) {
    const runs = [];
    for (const token of this.tokens(part)) {
      const size = this.pieceLength(token);
      if (runs.at(-1)?.size === size) runs.at(-1).run.push(token);
      else runs.push({ size, run: [token] });
    }
    return runs.flatMap(({ size, run }) => (!size || run.length <= 2 * size ? [run]
      : run.slice(size - 1).map((_, i) => run.slice(i, i + size))).map((piece) => piece.join(" ")));
  }

  /** A question taken apart, every part a phrase: words with one blank between them. */
  parse(text) {
    const [words, phrases, without] = [[], [], []];
    for (const [, sign, quoted, word] of text.replaceAll("\0", " ").matchAll(/(?:(?<=\s)|^)(-?)"([^"]*)"|(\S+)/gu)) {
      const minus = word ? word[0] === "-" : sign === "-";
      const part = word ? word.slice(minus ? 1 : 0) : quoted;
      const telling = this.phrase(part.replaceAll('"', " "));
      if (!telling) continue;
      if (minus) without.push(telling);
      else if (quoted) phrases.push(telling);
      else words.push(...this.alternatives(part.replaceAll('"', " ")));
    }
    const subject = words.filter((word) => !this.stop.has(word));
    const few = (parts) => [...new Set(parts)].slice(0, this.most);
    return { words: few(subject.length ? subject : words), phrases: few(phrases), without: few(without) };
  }
}

class WordIndex {
  constructor(data) {
    this.data = data;
    this.language = new Language(data.head.language);
    this.postings = new Map(); // word -> row numbers in order, one entry for each time it occurs
    this.rows = new Array(data.n); // the words of each row, with a blank around each and a bar between fields
    this.lengths = new Uint16Array(data.n);
    this.done = 0;
  }

  /** Read all rows, a few at a time so that the page stays awake; the same promise for every caller. */
  build(progress) {
    this.building ??= this.#read(progress);
    return this.building;
  }

  async #read(progress) {
    const { data } = this;
    const columns = Object.values(data.columns);
    for (let row = 0; row < data.n; row++) {
      const text = data.text(row);
      const cells = columns.map((column) => column[row]).filter((value) => typeof value === "string" && value !== text);
      const fields = [text, ...cells, data.id(row), data.label(row) ?? ""].map((field) => this.language.tokens(field));
      this.lengths[row] = fields[0].length || 1;
      this.rows[row] = ` ${fields.map((words) => words.join(" ")).join(" | ")} `;
      for (const word of fields.flat()) {
        const rows = this.postings.get(word);
        if (rows) rows.push(row);
        else this.postings.set(word, [row]);
      }
      if (row % 1500 === 1499) {
        this.done = row / data.n;
        progress(this.done);
        await breathe();
      }
    }
    this.mean = this.lengths.reduce((sum, length) => sum + length, 0) / data.n;
    this.vocabulary = [...this.postings.keys()].sort();
    this.done = 1;
  }

  /** Words of the corpus that begin with the given letters, at most `most`. */
  beginningWith(letters, most = 60) {
    let low = 0;
    let high = this.vocabulary.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.vocabulary[middle] < letters) low = middle + 1;
      else high = middle;
    }
    const found = [];
    while (low < this.vocabulary.length && this.vocabulary[low].startsWith(letters)) found.push(this.vocabulary[low++]);
    const often = (word) => this.postings.get(word).length;
    return found.sort((a, b) => often(b) - often(a)).slice(0, most);
  }

  /** How often each row holds a phrase: row -> times. */
  holding(phrase) {
    const words = phrase.split(" ");
    const lists = words.map((word) => this.postings.get(word) ?? []);
    const times = new Map();
    if (words.length === 1) {
      for (const row of lists[0]) times.set(row, (times.get(row) ?? 0) + 1);
      return times;
    }
    const sought = ` ${phrase} `;
    for (const row of new Set(lists.reduce((a, b) => (b.length < a.length ? b : a)))) {
      const words = this.rows[row];
      let often = 0;
      for (let at = words.indexOf(sought); at >= 0; at = words.indexOf(sought, at + 1)) often++;
      if (often) times.set(row, often);
    }
    return times;
  }

  /** Rows that hold any word, every phrase and nothing unwanted, best first. */
  search(question) {
    const { words, phrases, without } = this.language.parse(question);
    const terms = [...words, ...phrases];
    const score = new Float32Array(this.data.n);
    const matched = new Uint16Array(this.data.n);
    const every = new Uint16Array(this.data.n);
    const any = new Uint8Array(this.data.n);
    terms.forEach((term, i) => {
      const times = this.holding(term);
      const rarity = Math.log(1 + (this.data.n - times.size + 0.5) / (times.size + 0.5));
      for (const [row, often] of times) {
        const length = this.lengths[row] / this.mean;
        score[row] += (rarity * often * 2.2) / (often + 1.2 * (0.25 + 0.75 * length));
        matched[row]++;
        if (i < words.length) any[row] = 1;
        else every[row]++;
      }
    });
    const gone = new Set(without.flatMap((part) => [...this.holding(part).keys()]));
    const hits = [];
    for (let row = 0; row < score.length; row++) {
      if (!matched[row] || (words.length && !any[row]) || every[row] < phrases.length || gone.has(row)) continue;
      hits.push({ row, score: score[row] * (matched[row] / terms.length) });
    }
    return { terms, without, hits: hits.sort((a, b) => b.score - a.score || a.row - b.row) };
  }
}

/** The text as nodes, with the words and phrases of the question marked. */
function highlight(text, terms, language) {
  if (!terms.length) return [text];
  const spans = [];
  for (const match of text.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu)) {
    const pieces = language.unspaced.test(match[0]) ? [...match[0].matchAll(language.piece)] : [{ 0: match[0], index: 0 }];
    for (const piece of pieces) {
      const from = match.index + piece.index;
      for (const token of language.tokens(piece[0])) spans.push({ token, from, to: from + piece[0].length });
    }
  }
  const marked = new Uint8Array(spans.length);
  for (const words of terms.map((term) => term.split(" "))) {
    for (let i = 0; i + words.length <= spans.length; i++) {
      if (words.every((word, j) => spans[i + j].token === word)) marked.fill(1, i, i + words.length);
    }
  }
  const nodes = [];
  let from = 0;
  for (let i = 0; i < spans.length; i++) {
    if (!marked[i] || spans[i].from < from) continue;
    const start = spans[i].from;
    // Letters of one word are marked as one; words with something between them are marked one by one.
    while (marked[i + 1] && spans[i + 1].from <= spans[i].to) i++;
    nodes.push(text.slice(from, start), make("mark", {}, text.slice(start, spans[i].to)));
    from = spans[i].to;
  }
  return [...nodes, text.slice(from)];
}

/** A command with the query in it, quoted for a shell. */
function commandFor(command, query) {
  const quoted = shellQuoted(query.replace(/\p{Cc}+/gu, " ").trim());
  const place = /(["']?)\{query\}\1|(["'])[^"']*\2$/;
  return place.test(command) ? command.replace(place, () => quoted) : `${command} ${quoted}`;
}

const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
