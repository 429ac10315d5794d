// Search by words: an inverted index, built when it is first needed, ranked by BM25.

const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu;
const fold = (word) => (/^[\x00-\x7f]*$/.test(word) ? word : word.normalize("NFKD").replace(/\p{M}/gu, "")).toLowerCase();
const wordsOf = (text) => (text.match(WORD) ?? []).map(fold).filter(Boolean);

class WordIndex {
  constructor(data) {
    this.data = data;
    this.postings = new Map(); // word -> row numbers in order, one entry for each time it occurs
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
      const words = wordsOf(data.text(row));
      this.lengths[row] = words.length || 1;
      for (const column of columns) if (typeof column[row] === "string" && column[row] !== data.text(row)) words.push(...wordsOf(column[row]));
      words.push(...wordsOf(data.id(row)), ...wordsOf(data.label(row) ?? ""));
      for (const word of words) {
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

  /** Rows that hold any word of the query, best first; each word may be the beginning of a longer one. */
  search(query) {
    const terms = [...new Set(wordsOf(query))];
    const score = new Float32Array(this.data.n);
    const matched = new Uint8Array(this.data.n);
    for (const term of terms) {
      const times = new Map(); // row -> how often the term occurs in it, a longer word counting for half
      const words = term.length > 2 ? this.beginningWith(term) : [term]; // "a" is a word, not the start of every other
      for (const word of words) {
        for (const row of this.postings.get(word) ?? []) times.set(row, (times.get(row) ?? 0) + (word === term ? 1 : 0.5));
      }
      const rarity = Math.log(1 + (this.data.n - times.size + 0.5) / (times.size + 0.5));
      for (const [row, often] of times) {
        const length = this.lengths[row] / this.mean;
        score[row] += (rarity * often * 2.2) / (often + 1.2 * (0.25 + 0.75 * length));
        matched[row]++;
      }
    }
    const hits = [];
    for (let row = 0; row < score.length; row++) {
      if (matched[row]) hits.push({ row, score: score[row] * (matched[row] / terms.length) });
    }
    return { terms, hits: hits.sort((a, b) => b.score - a.score || a.row - b.row) };
  }
}

/** The text as nodes, with words that begin like a term marked. */
function highlight(text, terms) {
  if (!terms.length) return [text];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(WORD)) {
    const word = fold(match[0]);
    if (!terms.some((term) => word === term || (term.length > 2 && word.startsWith(term)))) continue;
    nodes.push(text.slice(from, match.index), make("mark", {}, match[0]));
    from = match.index + match[0].length;
  }
  return [...nodes, text.slice(from)];
}

/** A command with the query in it, quoted for a shell. */
function commandFor(command, query) {
  const clean = query.replace(/\p{Cc}+/gu, " ").trim();
  const quoted = `'${clean.replaceAll("'", "'\\''")}'`;
  const place = /(["']?)\{query\}\1|(["'])[^"']*\2$/;
  return place.test(command) ? command.replace(place, () => quoted) : `${command} ${quoted}`;
}
