// The map: points painted pixel by pixel, so that 50,000 of them move smoothly without a graphics card.

const DENSE = 50000; // rows from which a whole map is drawn by density
const CELL = 2; // pixels of the page that a cell of the density is wide

class PointMap {
  /**
   * `paint` says how rows look: {colours: [[r, g, b]...], of: row -> index, lit: Uint8Array}, and where there are any,
   * {sizes: row -> 0 to 7, within: the rows that a line may take}.
   */
  constructor(data, { onHover, onPick, onSelect, onView }, [box, canvas, ink] = [$("map-box"), $("canvas"), $("ink")]) {
    Object.assign(this, { data, onHover, onPick, onSelect, onView, box, canvas, ink });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.tool = "pan";
    this.mode = "new"; // what a line does to the selection: "new", "add" or "narrow"
    this.pointers = new Map();
    this.path = null;
    this.#place();
    this.#listen();
    new ResizeObserver(() => this.resize()).observe(this.box);
  }

  #place() {
    const { n, mapX, mapY } = this.data;
    this.x = Float32Array.from({ length: n }, (_, i) => mapX(i));
    this.y = Float32Array.from({ length: n }, (_, i) => -mapY(i)); // up is up
    const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const [left, right] = ends(this.x);
    const [top, bottom] = ends(this.y);
    this.extent = { left, top, width: right - left || 1, height: bottom - top || 1 };
    // Painting in a shuffled order keeps one group from covering all others.
    this.order = Uint32Array.from({ length: n }, (_, i) => i);
    let seed = 12345;
    for (let i = n - 1; i > 0; i--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = seed % (i + 1);
      [this.order[i], this.order[j]] = [this.order[j], this.order[i]];
    }
    this.drawX = Float32Array.from(this.order, (i) => this.x[i]); // in the order of painting, so that memory is read in a row
    this.drawY = Float32Array.from(this.order, (i) => this.y[i]);
    // A grid over the map, rows sorted by cell, finds the nearest point without looking at all of them.
    this.side = Math.max(1, Math.min(256, Math.round(Math.sqrt(n / 3))));
    const counts = new Uint32Array(this.side * this.side + 1);
    const cells = Uint32Array.from({ length: n }, (_, i) => this.#cell(this.x[i], this.y[i]));
    for (const cell of cells) counts[cell + 1]++;
    for (let c = 0; c < counts.length - 1; c++) counts[c + 1] += counts[c];
    this.starts = counts;
    const next = counts.slice();
    this.inCell = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.inCell[next[cells[i]]++] = i;
  }

  #column(x) { return Math.max(0, Math.min(this.side - 1, Math.floor(((x - this.extent.left) / this.extent.width) * this.side))); }
  #line(y) { return Math.max(0, Math.min(this.side - 1, Math.floor(((y - this.extent.top) / this.extent.height) * this.side))); }
  #cell(x, y) { return this.#line(y) * this.side + this.#column(x); }

  resize() {
    const { width, height } = this.box.getBoundingClientRect();
    if (!width || (width === this.width && height === this.height)) return;
    const before = this.fit && !this.isWhole() ? this.view() : null;
    Object.assign(this, { width, height });
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height);
    this.whole();
    if (before) this.look(before);
  }

  whole() {
    const { left, top, width, height } = this.extent;
    this.scale = this.fit = 0.92 * Math.min(this.width / width, this.height / height);
    this.middle = [left + width / 2, top + height / 2];
    this.moved();
  }

  isWhole() {
    const [x, y, zoom] = this.view();
    return Math.abs(x - 0.5) < 1e-6 && Math.abs(y - 0.5) < 1e-6 && Math.abs(zoom - 1) < 1e-6;
  }

  /** The middle as shares of the whole map, and how many times it is enlarged: the same on every screen. */
  view() {
    const { left, top, width, height } = this.extent;
    return [(this.middle[0] - left) / width, (this.middle[1] - top) / height, this.scale / this.fit];
  }

  look([x, y, zoom]) {
    const { left, top, width, height } = this.extent;
    this.middle = [left + x * width, top + y * height];
    this.scale = this.fit * Math.max(0.5, Math.min(400, zoom));
    this.moved();
  }

  toScreen(x, y) { return [(x - this.middle[0]) * this.scale + this.width / 2, (y - this.middle[1]) * this.scale + this.height / 2]; }
  toMap(sx, sy) { return [(sx - this.width / 2) / this.scale + this.middle[0], (sy - this.height / 2) / this.scale + this.middle[1]]; }

  zoom(factor, sx = this.width / 2, sy = this.height / 2) {
    const [x, y] = this.toMap(sx, sy);
    this.scale = Math.max(this.fit * 0.5, Math.min(this.fit * 400, this.scale * factor));
    this.middle = [x - (sx - this.width / 2) / this.scale, y - (sy - this.height / 2) / this.scale];
    this.moved();
  }

  pan(dx, dy) {
    this.middle = [this.middle[0] - dx / this.scale, this.middle[1] - dy / this.scale];
    this.moved();
  }

  goTo(row, closeness = 4) {
    this.scale = Math.max(this.scale, this.fit * closeness);
    this.middle = [this.x[row], this.y[row]];
    this.moved();
  }

  moved() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  draw() {
    if (!this.paint || !this.image) return;
    const started = performance.now();
    // Where very many rows lie on few pixels, how densely they lie says more than the last ones painted.
    this.dense = this.order.length > DENSE && this.scale < 3 * this.fit && !this.paint.sizes;
    if (this.dense) this.#drawDensity();
    else this.#drawPoints();
    this.drawInk();
    this.onView();
    if (this.took === undefined) performance.mark("map drawn");
    this.took = performance.now() - started;
  }

  #drawPoints() {
    const { canvas, image, paint, order, drawX, drawY, ratio, scale } = this;
    // A pixel is one number, alpha blue green red; red and blue are mixed together, as 8 bits lie free between them.
    const pixels = new Uint32Array(image.data.buffer); // little-endian, as all browsers are
    const packed = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    pixels.fill(packed(paint.background));
    const n = order.length;
    const closeness = Math.max(1, scale / this.fit);
    // Few points are large and firm, many are small and sheer, so that where they crowd it shows.
    const look = (count) => {
      const roomy = Math.sqrt((0.16 * this.width * this.height) / (count * Math.PI));
      return [Math.min(7, Math.max(1.15, Math.min(4.5, roomy)) * closeness ** 0.3) * ratio, Math.max(0.3, Math.min(0.85, 0.32 * closeness ** 0.4 + 600 / count))];
    };
    const { width, height } = canvas;
    const across = scale * ratio;
    const ox = width / 2 - this.middle[0] * across;
    const oy = height / 2 - this.middle[1] * across;
    const colours = Uint32Array.from([paint.dim, ...paint.colours], packed);
    for (const lit of paint.anyDim ? [0, 1] : [1]) {
      const [radius, alpha] = look(lit ? paint.count || 1 : n);
      const grown = (level) => (paint.sizes ? Math.min(16 * ratio, (0.5 + 0.25 * level) * Math.max(radius, 1.6 * ratio)) : radius);
      const kernels = Array.from({ length: paint.sizes ? 8 : 1 }, (_, level) => disc(grown(level), 256 * (lit ? alpha : alpha * 0.55)));
      for (let o = 0; o < n; o++) {
        const i = order[o];
        if (paint.lit[i] !== lit) continue;
        const kernel = paint.sizes ? kernels[paint.sizes[i]] : kernels[0];
        const { side, cover: covers } = kernel;
        const left = Math.round(drawX[o] * across + ox) - kernel.half;
        const top = Math.round(drawY[o] * across + oy) - kernel.half;
        if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
        const colour = lit ? colours[paint.of[i] + 1] : colours[0];
        const redBlue = colour & 0xff00ff;
        const green = colour & 0xff00;
        let at = 0;
        for (let y = 0; y < side; y++) {
          let p = (top + y) * width + left;
          for (let x = 0; x < side; x++, p++) {
            const cover = covers[at++];
            if (!cover) continue;
            const under = pixels[p];
            const rest = 256 - cover;
            const rb = ((Math.imul(redBlue, cover) + Math.imul(under & 0xff00ff, rest)) >>> 8) & 0xff00ff;
            const g = ((Math.imul(green, cover) + Math.imul(under & 0xff00, rest)) >>> 8) & 0xff00;
            pixels[p] = 0xff000000 | rb | g;
          }
        }
      }
    }
    this.context.putImageData(image, 0, 0);
  }

  /** Counts and mean colours in cells of two pixels, smoothed; the more rows, the firmer. */
  #drawDensity() {
    const { paint, x: xs, y: ys, scale } = this;
    const width = Math.ceil(this.width / CELL);
    const height = Math.ceil(this.height / CELL);
    if (this.cells?.width !== width || this.cells.height !== height) {
      const small = make("canvas", { width, height });
      const pen = small.getContext("2d");
      this.cells = { width, height, small, pen, image: pen.createImageData(width, height), sums: Array.from({ length: 5 }, () => new Float32Array(width * height)), spare: new Float32Array(width * height) };
    }
    const { sums, spare, image, pen, small } = this.cells;
    for (const sum of sums) sum.fill(0);
    const [weights, reds, greens, blues, dims] = sums;
    const across = scale / CELL;
    const ox = width / 2 - this.middle[0] * across;
    const oy = height / 2 - this.middle[1] * across;
    const colours = Uint8Array.from(paint.colours.flat());
    const { lit, of } = paint;
    for (let i = 0; i < xs.length; i++) {
      const x = Math.floor(xs[i] * across + ox);
      const y = Math.floor(ys[i] * across + oy);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const at = y * width + x;
      if (!lit[i]) { dims[at]++; continue; }
      const c = 3 * of[i];
      weights[at]++;
      reds[at] += colours[c];
      greens[at] += colours[c + 1];
      blues[at] += colours[c + 2];
    }
    for (const sum of paint.anyDim ? sums : sums.slice(0, 4)) soften(sum, spare, width, height);
    if (this.firm?.paint !== paint || this.firm.scale !== scale) this.firm = { paint, scale, lit: firmness(weights), dim: 0.5 * firmness(dims) };
    const { lit: firmLit, dim: firmDim } = this.firm;
    const pixels = image.data;
    const [dr, dg, db] = paint.dim;
    for (let at = 0, p = 0; at < weights.length; at++, p += 4) {
      const weight = weights[at];
      const under = dims[at] ? 1 - Math.exp(-dims[at] * firmDim) : 0;
      if (!weight) {
        pixels[p] = dr; pixels[p + 1] = dg; pixels[p + 2] = db; pixels[p + 3] = 255 * under;
        continue;
      }
      const over = 0.12 + 0.88 * (1 - Math.exp(-weight * firmLit));
      const whole = over + under * (1 - over);
      const rest = (under * (1 - over)) / whole;
      const share = over / whole / weight;
      pixels[p] = reds[at] * share + dr * rest;
      pixels[p + 1] = greens[at] * share + dg * rest;
      pixels[p + 2] = blues[at] * share + db * rest;
      pixels[p + 3] = 255 * Math.min(1, weight * 4) * whole;
    }
    pen.putImageData(image, 0, 0);
    this.context.fillStyle = `rgb(${paint.background.join(",")})`;
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.context.drawImage(small, 0, 0, width * CELL * this.ratio, height * CELL * this.ratio);
  }

  /** Rings, ties to neighbours and the line being drawn. */
  drawInk() {
    const parts = [];
    const add = (tag, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      parts.push(node);
    };
    const at = (row) => this.toScreen(this.x[row], this.y[row]);
    if (this.chosen !== undefined && this.chosen !== null) {
      const [x, y] = at(this.chosen);
      for (const mate of this.mates ?? []) {
        const [mx, my] = at(mate);
        add("line", { class: "tie", x1: x, y1: y, x2: mx, y2: my });
        add("circle", { class: "mate", cx: mx, cy: my, r: 5 });
      }
      add("circle", { class: "ring", cx: x, cy: y, r: 8 });
    }
    if (this.hovered !== undefined && this.hovered !== null) {
      const [cx, cy] = at(this.hovered);
      add("circle", { class: "ring", cx, cy, r: 7 });
    }
    if (this.path) add("polygon", { class: `draw ${this.how}`, points: this.outline().join(" ") });
    this.ink.replaceChildren(...parts);
  }

  outline() {
    if (this.tool !== "box") return this.path;
    const [[ax, ay], [bx, by]] = [this.path[0], this.path.at(-1)];
    return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
  }

  nearest(sx, sy, reach = 14) {
    const [x, y] = this.toMap(sx, sy);
    const far = reach / this.scale;
    let best = null;
    let least = far * far;
    for (let line = this.#line(y - far); line <= this.#line(y + far); line++) {
      for (let column = this.#column(x - far); column <= this.#column(x + far); column++) {
        const cell = line * this.side + column;
        for (let j = this.starts[cell]; j < this.starts[cell + 1]; j++) {
          const i = this.inCell[j];
          if (!this.paint.lit[i]) continue;
          const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
          if (distance < least) [best, least] = [i, distance];
        }
      }
    }
    return best;
  }

  /** Rows whose places lie in a rectangle of the map. */
  rowsIn(left, top, right, bottom) {
    const rows = [];
    for (let line = this.#line(top); line <= this.#line(bottom); line++) {
      for (let column = this.#column(left); column <= this.#column(right); column++) {
        const cell = line * this.side + column;
        for (let j = this.starts[cell]; j < this.starts[cell + 1]; j++) {
          const i = this.inCell[j];
          if (this.x[i] >= left && this.x[i] < right && this.y[i] >= top && this.y[i] < bottom) rows.push(i);
        }
      }
    }
    return rows;
  }

  inside() {
    const corners = this.outline().map(([sx, sy]) => this.toMap(sx, sy));
    const may = this.paint.within ?? this.paint.lit;
    const ends = (axis) => [Math.min(...corners.map((corner) => corner[axis])), Math.max(...corners.map((corner) => corner[axis]))];
    const [left, right] = ends(0);
    const [top, bottom] = ends(1);
    const found = [];
    for (let i = 0; i < this.data.n; i++) {
      const [x, y] = [this.x[i], this.y[i]];
      if (!may[i] || x < left || x > right || y < top || y > bottom) continue;
      let odd = false;
      for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
        const [ax, ay] = corners[a];
        const [bx, by] = corners[b];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) found.push(i);
    }
    return found;
  }

  setTool(tool) {
    this.tool = tool;
    this.box.classList.toggle("select", tool !== "pan");
  }

  hover(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    this.box.classList.toggle("over", row !== null && this.tool === "pan");
    this.drawInk();
    this.onHover(row);
  }

  #listen() {
    const { canvas, pointers, box } = this;
    const spot = (event) => {
      const { left, top } = canvas.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    let travelled = 0;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, spot(event));
      travelled = 0;
      this.how = event.shiftKey ? "add" : event.altKey ? "narrow" : this.mode;
      if (this.tool !== "pan" || event.shiftKey || event.altKey) this.path = [spot(event)];
      this.hover(null);
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = spot(event);
      const before = pointers.get(event.pointerId);
      if (!before) return void (event.pointerType === "mouse" && this.hover(this.nearest(...now)));
      const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
      travelled += Math.hypot(dx, dy);
      pointers.set(event.pointerId, now);
      if (pointers.size === 2) {
        this.path = null;
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const apart = (spot) => Math.hypot(spot[0] - other[0], spot[1] - other[1]) || 1;
        this.pan(dx / 2, dy / 2);
        this.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      } else if (this.path) {
        this.path.push(now);
        this.drawInk();
      } else if (travelled > 4) {
        box.classList.add("drag");
        this.pan(dx, dy);
      }
    });
    const up = (event) => {
      if (!pointers.delete(event.pointerId)) return;
      box.classList.remove("drag");
      const { path } = this;
      if (event.type === "pointerup" && travelled <= 4) this.onPick(this.nearest(...spot(event), event.pointerType === "mouse" ? 14 : 24));
      else if (event.type === "pointerup" && path && path.length > 1) this.onSelect(this.inside(), this.how);
      this.path = null;
      this.drawInk();
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => this.hover(null));
    canvas.addEventListener("dblclick", (event) => this.zoom(2, ...spot(event)));
    // A page scroll that happens to end over the map stays a page scroll.
    let scrolling = 0;
    addEventListener("wheel", (event) => {
      if (!box.contains(event.target)) scrolling = event.timeStamp;
    }, { passive: true });
    box.addEventListener("wheel", (event) => {
      if (event.timeStamp - scrolling < 200 && !event.ctrlKey) { scrolling = event.timeStamp; return; }
      event.preventDefault();
      const lines = event.deltaMode ? 16 : 1;
      this.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.0022)), ...spot(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.path) { // the line being drawn first, then what is chosen
        this.path = null;
        this.drawInk();
        event.stopPropagation();
        return;
      }
      const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
      if (steps[event.key]) this.pan(...steps[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoom(1.5);
      else if (event.key === "-") this.zoom(0.66);
      else if (event.key === "0") this.whole();
      else return;
      event.preventDefault();
    });
  }
}

/** A filled circle as a square of coverages, soft at its edge. */
function disc(radius, most) {
  const half = Math.ceil(radius);
  const cover = [];
  for (let y = -half; y <= half; y++) {
    for (let x = -half; x <= half; x++) cover.push(most * Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x, y))));
  }
  return { half, side: 2 * half + 1, cover: Uint16Array.from(cover) };
}

/** How much one row covers, so that a cell which is fuller than nine in ten is nearly covered. */
function firmness(cells) {
  const some = [];
  for (let at = 0; at < cells.length; at += 5) if (cells[at]) some.push(cells[at]);
  return some.length ? 2.2 / some.sort((a, b) => a - b)[Math.floor(0.9 * (some.length - 1))] : 1;
}

/** Mix every cell with its neighbours, 1 2 1 along both axes. */
function soften(cells, spare, width, height) {
  for (const [from, to, step] of [[cells, spare, 1], [spare, cells, width]]) {
    for (let at = 0; at < step; at++) to[at] = from[at];
    for (let at = width * height - step; at < width * height; at++) to[at] = from[at];
    for (let at = step; at < width * height - step; at++) to[at] = 0.25 * (from[at - step] + from[at + step]) + 0.5 * from[at];
  }
}
