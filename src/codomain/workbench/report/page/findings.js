// What the checks found: pairs of classes first, then single rows, or pairs of rows side by side.

const percents = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;

/** What a check found: single rows, or pairs side by side. Near copies have the words that differ marked. */
function findingCard(data, found, act) {
  const { row, other } = found;
  const pair = Number.isInteger(other) && other >= 0 && other < data.n && other !== row;
  const why = found.why && make("p", { className: "why", dir: "auto" }, found.why);
  const cards = !pair ? rowCard(data, row, act) : make("div", { className: "pair" }, ...(found.better === undefined
    ? differingCards(data, row, other, act)
    : [rowCard(data, row, act, { caption: ["Labelled ", make("b", {}, found.given)] }), // two texts of two classes: their words need not agree
      rowCard(data, other, act, { caption: ["A near row, labelled ", make("b", {}, found.better)] })]));
  return make("div", { className: "finding" }, why, cards);
}

function differingCards(data, row, other, act) {
  const [one, two] = data.text(row) ? differing(data.text(row), data.text(other)) : [null, null];
  return [rowCard(data, row, act, { text: one }), rowCard(data, other, act, { text: two })];
}

/** Two classes that overlap: one finding, with its rows on demand. */
function classPairCard(data, pair, findings, act, change) {
  const { given, better } = pair;
  const rows = findings.map((found) => found.row).sort((a, b) => a - b);
  const place = make("div", { className: "findings" });
  const line = (name, ...words) => make("div", {}, make("dt", { dir: "auto" }, name), make("dd", {}, ...words));
  const of = (count, share) => `${thousands(count)}, ${percents(share)} of its rows that could be judged`;
  const open = make("button", { type: "button", className: "quiet", "aria-expanded": "false", on: { click: () => {
    const shut = open.getAttribute("aria-expanded") === "true";
    open.setAttribute("aria-expanded", String(!shut));
    if (shut) place.replaceChildren();
    else listInto(place, findings, (found) => findingCard(data, found, act));
  } } }, `Its ${plural(rows.length, "row")}, most certain first`);
  return make("div", { className: "finding class-pair" },
    make("p", { className: "class-pair-says", dir: "auto" }, pair.says),
    make("dl", {},
      line(`“${given}” that look like “${better}”`, of(pair.rows_given, pair.share_given)),
      line(`“${better}” that look like “${given}”`, of(pair.rows_better, pair.share_better)),
      line("near rows of the other class, around rows not in doubt", `${percents(pair.mixed)}; if all those in doubt were lone mistakes, ${percents(pair.lone)}`),
      line("by chance", `${pair.scattered < 10 ? pair.scattered.toFixed(1) : thousands(Math.round(pair.scattered))} rows, were all doubts spread over pairs of classes by their sizes`)),
    make("div", { className: "row-do" }, open, data.x && make("button", { type: "button", className: "quiet", on: { click: () => {
      change({ selection: rows, row: null });
      $("map").scrollIntoView();
    } } }, "Select on map")),
    place);
}

function fillFindings(data, act, change) {
  for (const place of document.querySelectorAll("[data-check]")) {
    const check = data.checks[place.dataset.check];
    const all = check.findings?.length ? check.findings : (check.rows ?? []).map((row) => ({ row }));
    const pairs = check.pairs ?? [];
    const ofPair = new Map(pairs.map((pair) => [pair, []]));
    const findings = all.filter((found) => {
      const pair = pairs.find(({ given, better }) => (given === found.given && better === found.better) || (given === found.better && better === found.given));
      ofPair.get(pair)?.push(found);
      return !pair;
    });
    const draw = (found) => findingCard(data, found, act);
    if (pairs.length) place.before(make("div", { className: "findings" }, ...pairs.map((pair) => classPairCard(data, pair, ofPair.get(pair), act, change))));
    place.replaceChildren(...findings.slice(0, 3).map(draw));
    if (findings.length <= 3) continue;
    const words = all.length < check.count && !pairs.length ? `Show the worst ${thousands(findings.length)} of ${thousands(check.count)}`
      : `Show all ${thousands(findings.length)}${pairs.length ? " that are in no such pair" : ""}`;
    const button = make("button", { type: "button" }, words);
    const rest = make("p", { className: "more" }, button);
    button.addEventListener("click", () => { rest.remove(); listInto(place, findings, draw); focusOn(place.firstElementChild); });
    place.after(rest);
  }
}
