// Served by `codomain serve`, the page asks its server by meaning and by words. In a file nothing of this is there.

const SLOW = 1500; // milliseconds after which the rows with the words are shown meanwhile
const LATE = 30000; // and after which the server is no longer waited for
const MOST_HITS = 50;
const MODES = { both: "Meaning and words", meaning: "Meaning", words: "Words" };

/** What a server said no with, in words. */
class ServerError extends Error {}

/** Ask a server that the page is from; the answer as JSON, or an error in words that a person can read. */
async function askServer(path, { signal, ...options } = {}) {
  let reply;
  try { reply = await fetch(path, { signal, headers: { accept: "application/json", "content-type": "application/json" }, ...options }); } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError("The server does not answer: it may have been stopped.");
  }
  const said = await reply.json().catch(() => null);
  if (reply.ok && (said || reply.status === 204)) return said;
  if (said?.error) throw new ServerError([said.error, said.needed && `Needed: ${said.needed}.`, said.todo && `To do: ${said.todo}`].filter(Boolean).join(" "));
  throw new ServerError(reply.ok ? "The server's answer could not be read." : `The server answered with an error (${reply.status}).`);
}

/** The part of the page that talks to the server, or null in a file. `refresh` shows the results anew. */
function startServer(data, refresh) {
  return data.head.server ? new Server(data, refresh) : null;
}

class Server {
  constructor(data, refresh) {
    const { space, spaces, notes, encodes } = data.head.server;
    Object.assign(this, { data, refresh, space, notes, encodes });
    this.mode = encodes ? "both" : "words";
    this.like = [];
    this.unlike = [];
    this.failed = false; // whether the last question is still without an answer
    this.known = new Map(); // notes by id
    this.acts = { unlike: (row) => this.add("unlike", row) };
    if (notes) {
      this.acts.tools = (row) => this.noteTools(data.id(row));
      askServer("notes").then(({ notes }) => { for (const one of notes) this.known.set(one.id, one); this.drawNotes(); }).catch(() => {});
    }
    this.likes = make("div", { className: "chips", "aria-live": "polite" });
    const modes = make("div", { className: "segmented", role: "group", "aria-label": "How to look" });
    modes.append(...Object.entries(MODES).filter(([mode]) => encodes || mode === "words").map(([mode, words]) => make("button", {
      type: "button", data: { mode }, "aria-pressed": String(mode === this.mode), on: { click: () => {
        this.mode = mode;
        for (const other of modes.children) other.setAttribute("aria-pressed", String(other.dataset.mode === mode));
        refresh();
      } },
    }, words)));
    const select = make("select", { id: "space", on: { change: () => this.open(select.value) } },
      ...spaces.map((name) => make("option", { value: name, selected: name === space }, name)));
    $("search").append(make("div", { className: "asking" }, encodes && modes,
      spaces.length > 1 && make("label", { className: "pick" }, "Space ", select), this.likes));
    document.querySelector("label[for=q]").textContent = encodes ? "Search the rows by meaning and by words" : "Search the rows by their words";
    $("q").placeholder = encodes ? "Search the rows by meaning and by words" : $("q").placeholder;
  }

  /** Open another space with the same question. */
  open(name) {
    const asked = $("q").value.trim();
    location.href = `../${encodeURIComponent(name)}/${asked ? `#${new URLSearchParams({ q: asked })}` : ""}`;
  }

  get refined() {
    return this.like.length + this.unlike.length > 0;
  }

  /** Take a row as an example of what is wanted, or of what is not. */
  add(list, row) {
    const id = this.data.id(row);
    for (const name of ["like", "unlike"]) this[name] = this[name].filter((one) => one !== id);
    this[list].push(id);
    this.showLikes();
    this.refresh();
  }

  clear() {
    [this.like, this.unlike] = [[], []];
    this.showLikes();
  }

  showLikes() {
    this.likes.replaceChildren(...["like", "unlike"].flatMap((list) => this[list].map((id) => make("button", {
      type: "button", className: "chip", title: "Take this example off", data: { [list]: id }, on: { click: () => {
        this[list] = this[list].filter((one) => one !== id);
        this.showLikes();
        this.refresh();
        $("q").focus();
      } },
    }, make("span", { dir: "auto" }, `${list} ${id}`)))));
  }

  stop() {
    this.asking?.abort();
    this.asking = null;
  }

  /** Ask; null when a later question is on its way. `byWords(sorry)` shows the words' rows while, or as, the server fails. */
  async ask(question, where, byWords) {
    this.stop();
    const mine = this.asking = new AbortController();
    this.failed = false;
    const meanwhile = (sorry) => { this.failed = true; byWords(sorry); };
    const slow = setTimeout(() => meanwhile("The server has not answered yet. Until it does, these are the rows of this page by their words:"), SLOW);
    const late = setTimeout(() => mine.abort(), LATE);
    const examples = this.like.map((id) => ["like", id]).concat(this.unlike.map((id) => ["unlike", id]));
    const given = Object.entries({ q: question, mode: this.mode, where, k: MOST_HITS }).filter(([, value]) => value);
    try {
      const answer = await askServer(`search?${new URLSearchParams([...given, ...examples])}`, { signal: mine.signal });
      if (this.asking !== mine) return null;
      this.failed = false;
      return this.read(answer);
    } catch (error) {
      if (this.asking !== mine) return null;
      const words = error instanceof ServerError ? error.message : `The server did not answer within ${LATE / 1000} seconds.`;
      meanwhile(`${words} These are the rows of this page by their words:`);
      return null;
    } finally {
      clearTimeout(slow);
      clearTimeout(late);
    }
  }

  /** An answer as the page shows it. Rows that the page does not have, being older than the answer, have `row` null. */
  read(answer) {
    const { data } = this;
    const hits = answer.hits.map((hit) => ({ row: hit.row < data.n && data.id(hit.row) === hit.id ? hit.row : null, score: hit.score, answer: hit }));
    const notes = answer.notes.map((words) => make("span", { className: "answer-note", dir: "auto" }, words));
    const close = answer.nothing_close && hits.length ? make("strong", { className: "nothing-close" }, "Nothing close: no hit is better than one gets by asking about nothing.") : null;
    const how = make("details", { className: "how" }, make("summary", {}, make("span", {}, "How do you know?")), make("div", { className: "how-body" },
      "The server compared the question with every row that passes the filters and sent at most 50. “1 in N as close” says how many unrelated pairs it takes to find one as close by chance; words that a row shares with the question are marked."));
    return {
      terms: [], without: [], hits, how: [how],
      says: (count) => [...(hits.length ? [plural(count, "row"), ", best first"] : ["No row was found."]), ...[close, ...notes].filter(Boolean)],
    };
  }

  /** A hit of an answer as a card. */
  card({ row, answer: hit }, act) {
    const terms = hit.matched.map((word) => act.language.phrase(word)).filter(Boolean);
    const rarity = hit.percentile === null || hit.percentile === undefined ? hit.score.toFixed(2)
      : `${hit.score.toFixed(3)}, ${hit.percentile > 0.9 ? `1 in ${thousands(Number((1 / Math.max(1 - hit.percentile, 1e-9)).toPrecision(2)))} as close` : `above ${Math.round(100 * hit.percentile)}%`}`;
    if (row !== null) return rowCard(this.data, row, act, { terms, score: rarity });
    return make("article", { className: "row" },
      make("div", { className: "row-head" }, make("span", { className: "row-id", dir: "auto" }, hit.id), make("span", { className: "row-score" }, rarity)),
      hit.text && make("p", { className: "row-text", dir: "auto" }, ...highlight(hit.text, terms, act.language)),
      make("p", { className: "faint" }, make("a", { href: hit.url }, "Open this row"), ": it came after this page was loaded."));
  }

  // --- stars and notes ------------------------------------------------------------------------------------------------
  /** A star and a note for a row, kept by the server. */
  noteTools(id) {
    const place = make("span", { className: "note-tools", data: { note: id } });
    this.drawNote(place);
    return place;
  }

  drawNotes() {
    for (const place of document.querySelectorAll("[data-note]")) this.drawNote(place);
  }

  drawNote(place, open = false, says = "") {
    const id = place.dataset.note;
    const { star = false, note = "" } = this.known.get(id) ?? {};
    const keep = (next, focus) => this.keep(id, { star, note, ...next }).then(() => "", (error) => `Not kept. ${error.message}`).then((words) => {
      for (const other of document.querySelectorAll("[data-note]")) if (other.dataset.note === id) this.drawNote(other, Boolean(words) && other === place && open, other === place ? words : "");
      place.querySelector(focus)?.focus();
    });
    const field = make("textarea", { value: note, rows: 2, maxLength: 10000, "aria-label": `Note on ${id}` });
    place.replaceChildren(
      make("button", { type: "button", className: "quiet star", "aria-pressed": String(star), "aria-label": `Star ${id}`, on: { click: () => keep({ star: !star }, ".star") } }, star ? "★" : "☆"),
      make("button", { type: "button", className: "quiet write-note", "aria-expanded": String(open), on: { click: () => { this.drawNote(place, !open); place.querySelector(open ? ".write-note" : "textarea").focus(); } } }, note ? "Change note" : "Write a note"),
      ...(open ? [field, make("button", { type: "button", className: "quiet keep-note", on: { click: () => keep({ note: field.value.trim() }, ".write-note") } }, "Keep")] : note ? [make("span", { className: "note", dir: "auto" }, note)] : []),
      ...(says ? [make("span", { role: "alert", className: "note-says" }, says)] : []));
  }

  async keep(id, { star, note }) {
    const path = `rows/${encodeURIComponent(id)}/note`;
    if (!star && !note) {
      await askServer(path, { method: "DELETE" });
      this.known.delete(id);
    } else {
      await askServer(path, { method: "PUT", body: JSON.stringify({ star, note }) });
      this.known.set(id, { star, note });
    }
  }
}
