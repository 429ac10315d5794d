// Filters that cross: a row is lit when it passes all of them; each column counts the rows that pass all but its own.

class CrossFilter {
  /** `sizes` are the numbers of bins of each dimension, `bins` the bin of each row or null where nothing is counted. */
  constructor(n, columns, others) {
    this.n = n;
    this.columns = columns;
    this.keys = [...columns.map((column) => column.key), ...others];
    this.dimension = new Map(this.keys.map((key, i) => [key, i]));
    this.passes = new Array(this.keys.length).fill(null);
    this.fails = new Uint8Array(n); // how many filters a row fails
    this.sums = new Uint16Array(n); // and the sum of their numbers, which is the number of the one that a row fails alone
    this.counts = columns.map((column) => new Uint32Array(column.size));
    this.count();
  }

  /** Put a filter on one dimension: 1 for each row that passes, or null to take it off. */
  set(key, pass) {
    const d = this.dimension.get(key);
    const before = this.passes[d];
    if (before === pass) return;
    const { fails, sums, n } = this;
    for (let i = 0; i < n; i++) {
      const change = (before && !before[i] ? -1 : 0) + (pass && !pass[i] ? 1 : 0);
      fails[i] += change;
      sums[i] += change * d;
    }
    this.passes[d] = pass;
  }

  count() {
    const { fails, sums, n } = this;
    this.columns.forEach(({ bins }, d) => {
      const counts = this.counts[d].fill(0);
      for (let i = 0; i < n; i++) if (fails[i] === 0 || (fails[i] === 1 && sums[i] === d)) counts[bins[i]]++;
    });
  }

  /** Write into `lit` which rows pass everything, and into `within` which pass all but one dimension; return how many. */
  light(lit, within, but) {
    const { fails, sums, n } = this;
    const d = this.dimension.get(but);
    let count = 0;
    for (let i = 0; i < n; i++) {
      const on = fails[i] === 0 ? 1 : 0;
      lit[i] = on;
      count += on;
      within[i] = on || (fails[i] === 1 && sums[i] === d) ? 1 : 0;
    }
    return count;
  }

  /** Counts by name, `none` last, of a column whose rows may have several names each. */
  countsOf(d) {
    const column = this.columns[d];
    if (!column.many) return this.counts[d];
    const counts = new Uint32Array(column.names.length + 1);
    this.counts[d].forEach((count, mask) => {
      column.names.forEach((_, i) => { if (mask & (1 << i)) counts[i] += count; });
      if (!mask) counts[column.names.length] += count;
    });
    return counts;
  }
}

/** Which rows a filter lets pass. Filters: {names: Set of numbers}, {from, to}, {from, before}, {missing: true}. */
function passOf(column, filter) {
  const { bins, values } = column;
  const pass = new Uint8Array(bins.length);
  if (filter.names) {
    const allowed = new Uint8Array(column.size);
    if (column.many) {
      for (let mask = 0; mask < column.size; mask++) allowed[mask] = [...filter.names].some((i) => (i === column.missing ? !mask : mask & (1 << i))) ? 1 : 0;
    } else for (const i of filter.names) allowed[i] = 1;
    for (let i = 0; i < bins.length; i++) pass[i] = allowed[bins[i]];
  } else if (filter.missing) {
    for (let i = 0; i < bins.length; i++) pass[i] = Number.isNaN(values[i]) ? 1 : 0;
  } else {
    const [from, to, before] = [filter.from ?? -Infinity, filter.to ?? Infinity, filter.before ?? Infinity];
    for (let i = 0; i < bins.length; i++) pass[i] = values[i] >= from && values[i] <= to && values[i] < before ? 1 : 0;
  }
  return pass;
}

/** A filter in words. */
function filterWords(column, filter) {
  if (filter.missing) return `${column.title}: no value`;
  if (filter.names) {
    const names = [...filter.names].map((i) => nameOf(column, i));
    return `${column.title}: ${names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ")}`;
  }
  const write = (value) => (column.kind === "date" ? day(value, column.edges[1] - column.edges[0]) : digits(value, column.whole));
  const { from = null, to = null, before = null } = filter;
  const ends = [from !== null && `from ${write(from)}`, to !== null && `up to ${write(to)}`, before !== null && `before ${write(before)}`];
  return `${column.title} ${ends.filter(Boolean).join(" ")}`;
}

const nameOf = (column, i) => (i === column.missing ? column.none ?? "no value" : column.names[i] === "" ? "(empty)" : column.names[i]);
