// A small picture of each column: bars to click, histograms to draw on. Pale is all rows, dark is the rows that pass.

const FEW_NAMES = 6;

class Facets {
  /** `onFilter(key, filter or null, live)` is told what was chosen; live while a finger still draws. */
  constructor(place, columns, cross, onFilter) {
    Object.assign(this, { place, columns, cross, onFilter });
    this.filters = new Map();
    this.parts = columns.map((column, d) => (column.kind === "category" ? this.#bars(column, d) : this.#histogram(column, d)));
    place.replaceChildren(...this.parts.map((part) => part.node));
    // Only what can be seen is drawn at every step; the rest when it comes into view.
    this.stale = new Set(this.parts);
    this.seen = new Set();
    const partOf = new Map(this.parts.map((part) => [part.node, part]));
    const watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const part = partOf.get(target);
        if (isIntersecting) this.seen.add(part);
        else this.seen.delete(part);
      }
      this.#draw();
    }, { rootMargin: "80px" });
    for (const part of this.parts) watch.observe(part.node);
    new ResizeObserver(() => { for (const part of this.parts) part.measure?.(); this.update(); }).observe(place);
  }

  update(filters = this.filters) {
    this.filters = filters;
    for (const part of this.parts) this.stale.add(part);
    this.#draw();
  }

  #draw() {
    for (const part of this.seen) {
      if (!this.stale.delete(part)) continue;
      part.update(this.filters.get(part.column.key));
    }
  }

  #card(column, ...children) {
    const clear = make("button", { type: "button", className: "facet-clear", hidden: true, "aria-label": `Take the filter off ${column.title}`, on: { click: () => this.onFilter(column.key, null) } }, "Clear");
    const node = make("section", { className: "facet", "aria-label": column.title, data: { facet: column.key } },
      make("div", { className: "facet-head" }, make("h3", { dir: "auto" }, column.title), clear), children);
    return { node, clear };
  }

  #bars(column, d) {
    const all = this.cross.countsOf(d).slice(); // nothing is filtered yet
    const order = Array.from({ length: column.names.length + 1 }, (_, i) => i).filter((i) => all[i] > 0);
    if (column.many) order.sort((a, b) => all[b] - all[a]);
    const list = make("div", { className: "facet-bars", role: "group", "aria-label": column.title });
    const find = make("input", { type: "search", className: "facet-find", placeholder: `Find one of ${thousands(order.length)}`, "aria-label": `Find a name in ${column.title}`, hidden: order.length <= 2 * FEW_NAMES });
    const more = make("button", { type: "button", className: "facet-more", hidden: order.length <= FEW_NAMES });
    let [open, shown, filter] = [false, [], null];
    const largest = (counts) => counts.subarray(0, column.names.length).reduce((a, b) => Math.max(a, b), 1); // of names: rows without one may be most
    const wide = (count, most) => `${Math.min(100, (100 * count) / most)}%`;
    const toggle = (i) => {
      const names = new Set(filter?.names);
      if (!names.delete(i)) names.add(i);
      this.onFilter(column.key, names.size ? { names } : null);
    };
    const bar = (i) => {
      const count = make("span", { className: "facet-count" });
      const fill = make("i", { className: "facet-fill" });
      const rail = make("i", { className: "facet-all" });
      rail.style.width = wide(all[i], largest(all));
      const node = make("button", { type: "button", data: { name: i }, on: { click: () => toggle(i) } }, make("span", { className: "facet-name", dir: "auto" }, nameOf(column, i)), count, rail, fill);
      return { i, node, count, fill };
    };
    const fold = () => {
      const sought = find.value.trim().toLowerCase();
      const matching = sought ? order.filter((i) => nameOf(column, i).toLowerCase().includes(sought)) : order;
      const few = matching.slice(0, sought || open ? 60 : FEW_NAMES);
      const chosen = [...(filter?.names ?? [])].filter((i) => !few.includes(i) && matching.includes(i));
      shown = [...few, ...chosen].map(bar);
      list.replaceChildren(...shown.map(({ node }) => node));
      more.textContent = open ? "Fewer" : `${thousands(order.length - FEW_NAMES)} more${order.length > 60 ? ", of which 54 here; find the rest by name" : ""}`;
    };
    find.addEventListener("input", () => { fold(); update(filter); });
    more.addEventListener("click", () => { open = !open; fold(); update(filter); });
    const { node, clear } = this.#card(column, find, list, more);
    const update = (next) => {
      filter = next;
      clear.hidden = !filter;
      if ([...(filter?.names ?? [])].some((i) => !shown.some((one) => one.i === i))) fold();
      const counts = this.cross.countsOf(d);
      const most = largest(counts);
      for (const { i, node, count, fill } of shown) {
        count.textContent = thousands(counts[i]);
        fill.style.width = wide(counts[i], most);
        node.setAttribute("aria-pressed", String(filter?.names.has(i) ?? false));
        node.classList.toggle("off", Boolean(filter) && !filter.names.has(i));
      }
    };
    fold();
    return { column, node, update };
  }

  #histogram(column, d) {
    const { edges } = column;
    const bars = edges.length - 1;
    const dates = column.kind === "date";
    const all = this.cross.counts[d].slice();
    const step = edges[1] - edges[0];
    const canvas = make("canvas", { className: "facet-canvas", role: "img", "aria-label": column.title });
    const write = (value) => (dates ? day(value, step) : digits(value, column.whole));
    const field = (words) => make("input", { type: dates ? "date" : "number", step: "any", "aria-label": `${column.title} ${words}`, placeholder: words });
    const [from, to] = [field("from"), field("up to")];
    const missing = make("button", { type: "button", className: "facet-more", hidden: !all[column.missing], on: { click: () => this.onFilter(column.key, filter?.missing ? null : { missing: true }) } });
    const { node, clear } = this.#card(column, canvas,
      make("div", { className: "facet-ends", "aria-hidden": "true" }, make("span", {}, write(column.least)), make("span", {}, write(column.most))),
      make("div", { className: "facet-fields" }, from, make("span", {}, "to"), to), missing);
    let filter = null;
    let drawn = null; // the two bars between which a finger draws

    /** The filter of bars a to b; open where the bars end, since what lies far out is in the last ones. */
    const between = (a, b) => {
      const lower = a > 0 ? edges[a] : null;
      const upper = b < bars - 1 ? edges[b + 1] : null;
      if (lower === null && upper === null) return null;
      if (dates) return { from: lower, before: upper };
      return { from: lower, to: upper === null ? null : column.whole ? upper - 1 : upper };
    };
    const barAt = (event) => {
      const { left, width } = canvas.getBoundingClientRect();
      return Math.max(0, Math.min(bars - 1, Math.floor(((event.clientX - left) / width) * bars)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      drawn = [barAt(event), barAt(event), event.clientX];
    });
    let waiting = null;
    canvas.addEventListener("pointermove", (event) => {
      if (!drawn) {
        const bar = barAt(event);
        canvas.title = `${write(edges[bar])} to ${write(edges[bar + 1])}: ${thousands(this.cross.counts[d][bar])} of ${plural(all[bar], "row")}`;
        return;
      }
      drawn[1] = barAt(event);
      waiting ??= requestAnimationFrame(() => {
        waiting = null;
        if (drawn) this.onFilter(column.key, between(Math.min(drawn[0], drawn[1]), Math.max(drawn[0], drawn[1])), true);
      });
    });
    const up = (event) => {
      if (!drawn) return;
      const [a, b, x] = drawn;
      drawn = null;
      const still = Math.abs(event.clientX - x) < 3;
      const again = still && filter && !filter.missing; // a click on a filtered picture takes the filter off
      this.onFilter(column.key, event.type === "pointercancel" || again ? null : between(Math.min(a, b), Math.max(a, b)));
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    const typed = () => {
      const read = (input) => (input.value === "" ? null : dates ? Date.parse(input.value) : Number(input.value));
      const [low, high] = [read(from), read(to)];
      const next = dates ? { from: low, before: high === null ? null : high + DAY } : { from: low, to: high };
      this.onFilter(column.key, low === null && high === null ? null : next);
    };
    from.addEventListener("change", typed);
    to.addEventListener("change", typed);

    const pen = canvas.getContext("2d");
    let [width, height] = [0, 0];
    const measure = () => {
      ({ width, height } = canvas.getBoundingClientRect());
      const ratio = devicePixelRatio || 1;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      pen.scale(ratio, ratio);
    };
    const update = (next) => {
      filter = next ?? null;
      clear.hidden = !filter;
      const counts = this.cross.counts[d];
      const lit = counts.subarray(0, bars);
      if (!width) measure();
      if (!width) return;
      pen.clearRect(0, 0, width, height);
      const shapes = [[all.subarray(0, bars), cssColour("--dim")], [lit, cssColour("--accent")]];
      if (filter && !filter.missing) {
        const [a, b] = [filter.from ?? -Infinity, Math.min(filter.to ?? Infinity, filter.before ?? Infinity)];
        const place = (value) => {
          if (value <= edges[0]) return 0;
          if (value >= edges[bars]) return width;
          let bar = 0;
          while (value >= edges[bar + 1]) bar++;
          return ((bar + (value - edges[bar]) / (edges[bar + 1] - edges[bar])) / bars) * width;
        };
        pen.fillStyle = cssColour("--tint");
        pen.fillRect(place(a), 0, Math.max(2, place(column.whole && b < Infinity ? b + 1 : b) - place(a)), height);
      }
      for (const [heights, colour] of shapes) {
        const most = heights.reduce((a, b) => Math.max(a, b), 1);
        pen.fillStyle = colour;
        for (let i = 0; i < bars; i++) {
          const tall = heights[i] ? Math.max(1.5, (heights[i] / most) * (height - 4)) : 0;
          const thin = colour === shapes[1][1] ? 0.22 : 0; // the dark bars are slimmer, so that the pale ones can be seen
          pen.fillRect(((i + thin) / bars) * width + 0.5, height - tall, Math.max(1, ((1 - 2 * thin) / bars) * width - 1), tall);
        }
      }
      const passing = counts.reduce((sum, count) => sum + count, 0);
      canvas.setAttribute("aria-label", `${column.title}: ${plural(passing, "row")} from ${write(column.least)} to ${write(column.most)}. Draw on it, or type both ends below.`);
      const typedEnd = (value, less) => (value === null || value === undefined ? "" : dates ? day(value - less) : String(value));
      if (document.activeElement !== from) from.value = typedEnd(filter?.from, 0);
      if (document.activeElement !== to) to.value = dates ? typedEnd(filter?.before, step < DAY ? 0 : DAY) : typedEnd(filter?.to, 0);
      missing.textContent = `${thousands(counts[column.missing])} without a value`;
      missing.setAttribute("aria-pressed", String(Boolean(filter?.missing)));
    };
    return { column, node, update, measure };
  }
}
