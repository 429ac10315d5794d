// The filters as a condition of the command line, `codomain search SPACE --where`, and such a condition as filters.

const PYTHON = /^(false|none|null|true|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/i;
const LONGEST_CONDITION = 4000;

/** A column's name as it must be typed; null where it cannot be. */
function typedName(name) {
  if (name === null || name === undefined || name.includes("`")) return null;
  return /^[a-z_][a-z0-9_]*$/i.test(name) && !PYTHON.test(name) ? name : `\`${name}\``;
}

function typedMoment(column, value) {
  const text = new Date(value).toISOString();
  if (column.form !== "moment" || value % DAY === 0) return `"${day(value)}${column.zone ? "T00:00+00:00" : ""}"`;
  return `"${text.slice(0, 16)}${column.zone ? "+00:00" : ""}"`;
}

/** One filter as a condition; null where the command line has no words for it. */
function conditionOf(column, filter) {
  if (column.many) {
    const names = [...filter.names].sort((a, b) => a - b).map((i) => (i === column.missing ? `not (${column.wheres.join(" or ")})` : column.wheres[i]));
    return names.length > 1 ? `(${names.join(" or ")})` : names[0];
  }
  const name = typedName(column.where);
  if (name === null) return null;
  if (filter.missing) return column.nan ? null : `${name} is null`;
  if (!filter.names) {
    const write = (value) => (column.kind === "date" ? typedMoment(column, value) : String(value));
    const { from = null, to = null, before = null } = filter;
    return [from !== null && `${name} >= ${write(from)}`, to !== null && `${name} <= ${write(to)}`, before !== null && `${name} < ${write(before)}`].filter(Boolean).join(" and ");
  }
  const literal = (i) => {
    const value = i === column.missing ? column.outside : (column.literals ?? column.names)[i];
    return typeof value === "number" ? String(value) : JSON.stringify(String(value));
  };
  const isNull = (i) => (i === column.missing ? column.outside === undefined : column.literals && (column.literals[i] === null || column.literals[i] === undefined));
  const chosen = [...filter.names].sort((a, b) => a - b);
  const known = chosen.filter((i) => !isNull(i));
  const parts = [];
  if (column.truth) parts.push(...known.map((i) => (String((column.literals ?? column.names)[i]) === "true" ? name : `not ${name}`)));
  else if (known.length === 1) parts.push(`${name} == ${literal(known[0])}`);
  else if (known.length) parts.push(`${name} in (${known.map(literal).join(", ")})`);
  if (known.length < chosen.length) parts.push(`${name} is null`);
  return parts.length > 1 ? `(${parts.join(" or ")})` : parts[0];
}

/** All filters as one condition: {text, untold: titles of those that have no words there}. */
function conditionFor(columns, filters) {
  const told = [];
  const untold = [];
  for (const column of columns) {
    if (!filters.has(column.key)) continue;
    const words = conditionOf(column, filters.get(column.key));
    if (words) told.push(words);
    else untold.push(column.title);
  }
  return { text: told.join(" and "), untold };
}

/** Read a condition of the form that `conditionFor` writes; null when it has another form or names no column here. */
function readCondition(columns, text) {
  const tokens = text.match(/`[^`]*`|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[<>]=?|==|[(),]|[^\s(),<>=]+/g) ?? [];
  let at = 0;
  const next = (token) => tokens[at] === token && ++at;
  const fail = () => { throw new SyntaxError(text); };
  const value = () => {
    const token = tokens[at++];
    if (token === undefined) return fail();
    if (token[0] === '"') return JSON.parse(token);
    if (token[0] === "'") return token.slice(1, -1).replace(/\\(.)/g, "$1");
    return Number.isNaN(Number(token)) ? fail() : Number(token);
  };
  const atom = () => {
    const not = next("not");
    if (not && next("(")) {
      const names = [];
      do names.push(tokens[at++]); while (next("or"));
      return next(")") ? { name: names[0], op: "none" } : fail();
    }
    const token = tokens[at++] ?? fail();
    const name = token[0] === "`" ? token.slice(1, -1) : token;
    if (not) return { name, op: "is", values: ["false"] };
    if (next("is")) return next("null") ? { name, op: "null" } : fail();
    if (next("==")) return { name, op: "is", values: [value()] };
    if (next("in")) {
      const values = [];
      if (!next("(")) return fail();
      do values.push(value()); while (next(","));
      return next(")") ? { name, op: "is", values } : fail();
    }
    const op = tokens[at];
    if ([">=", "<=", "<"].includes(op)) { at++; return { name, op, value: value() }; }
    return { name, op: "is", values: ["true"] };
  };
  const filters = new Map();
  const take = ({ name, op, values, value }) => {
    const flags = columns.find((column) => column.many && column.wheres.includes(name));
    const ordered = [">=", "<=", "<"].includes(op); // a column of numbers may be there a second time, as the labels
    const column = flags ?? columns.find((one) => one.where === name && (one.kind !== "category") === ordered) ?? columns.find((one) => one.where === name) ?? fail();
    const filter = filters.get(column.key) ?? {};
    filters.set(column.key, filter);
    if (flags) (filter.names ??= new Set()).add(op === "none" ? flags.missing : flags.wheres.indexOf(name));
    else if (column.kind === "category") {
      filter.names ??= new Set();
      const known = column.literals ?? column.names;
      if (op === "null") filter.names.add(column.literals && known.includes(null) ? known.indexOf(null) : column.missing);
      for (const one of values ?? []) {
        const i = one === column.outside ? column.missing : known.findIndex((name) => String(name) === String(one));
        if (i < 0) fail();
        filter.names.add(i);
      }
    } else if (op === "null") filter.missing = true;
    else {
      const end = column.kind === "date" ? moment(value) : value;
      if (Number.isNaN(end) || op === "is") fail();
      filter[{ ">=": "from", "<=": "to", "<": "before" }[op]] = end;
    }
  };
  try {
    while (at < tokens.length) {
      if (filters.size || at) { if (!next("and")) fail(); }
      const grouped = tokens[at] === "(" && next("(");
      do take(atom()); while (grouped && next("or"));
      if (grouped && !next(")")) fail();
    }
  } catch { return null; }
  return filters;
}
