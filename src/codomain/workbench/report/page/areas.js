// Words of small areas: what the rows of a square of the map say more often than rows elsewhere. Worked out only for the
// squares in view, from some of their rows, when the map has come to rest.

const AREA_ROWS = 80; // rows of a square that are read
const ELSEWHERE = 3000; // rows anywhere that a square is compared with

class Areas {
  constructor(data, map, language) {
    Object.assign(this, { data, map, language });
    this.known = new Map(); // "level,column,line" -> word and place, or null
    this.sets = new Map();
  }

  #words(row) {
    if (!this.sets.has(row)) this.sets.set(row, new Set(this.language.tokens(this.data.text(row)).filter((word) => word.length > 2 && !this.language.stop.has(word) && !/^\d+$/.test(word))));
    return this.sets.get(row);
  }

  #count(rows) {
    const counts = new Map();
    for (const row of rows) for (const word of this.#words(row)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return counts;
  }

  /** Words and their places for the squares in view, none while the whole map is shown. */
  inView() {
    const { map, data } = this;
    const zoom = map.scale / map.fit;
    if (!data.texts.length || zoom < 2.2) return [];
    const level = Math.floor(Math.log2(zoom)) + 2; // four to eight squares across the view
    const [left, top] = map.toMap(0, 0);
    const [right, bottom] = map.toMap(map.width, map.height);
    const { extent } = map;
    const side = Math.max(extent.width, extent.height) / 2 ** level;
    const found = [];
    for (let line = Math.floor((top - extent.top) / side); line * side + extent.top < bottom; line++) {
      for (let column = Math.floor((left - extent.left) / side); column * side + extent.left < right; column++) {
        const key = `${level},${column},${line}`;
        if (!this.known.has(key)) this.known.set(key, this.#name(extent.left + column * side, extent.top + line * side, side));
        const area = this.known.get(key);
        if (area) found.push(area);
      }
    }
    return found.sort((a, b) => b.score - a.score);
  }

  /** The word of one square: the one whose share of rows there most exceeds its share elsewhere, in at least a fifth of the rows. */
  #name(left, top, side) {
    const { map, data } = this;
    const rows = map.rowsIn(left, top, left + side, top + side);
    if (rows.length < 8) return null;
    const step = rows.length / Math.min(rows.length, AREA_ROWS);
    const some = Array.from({ length: Math.min(rows.length, AREA_ROWS) }, (_, i) => rows[Math.floor(i * step)]);
    if (!this.elsewhere) {
      const gap = Math.max(1, data.n / ELSEWHERE);
      this.many = Math.ceil(data.n / gap);
      this.elsewhere = this.#count(Array.from({ length: this.many }, (_, i) => Math.min(data.n - 1, Math.floor(i * gap))));
    }
    let best = null;
    for (const [word, count] of this.#count(some)) {
      if (count < 3 || count < some.length / 5) continue;
      const there = count / some.length;
      const score = there * Math.log(there / (((this.elsewhere.get(word) ?? 0) + 1) / (this.many + 1)));
      if (score > (best?.score ?? 0.25)) best = { word, score };
    }
    if (!best) return null;
    const holding = some.filter((row) => this.#words(row).has(best.word));
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    return { ...best, x: middle(holding.map((row) => map.x[row])), y: middle(holding.map((row) => map.y[row])) };
  }
}
