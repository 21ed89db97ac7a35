/* Draws the graph that was laid out when the site was built: a note with its neighbours, or the whole vault. */

const loaded = new Map(); // address -> promise of the graph
const INK = "--md-default-fg-color", PAPER = "--md-default-bg-color", FAINT = "--md-default-fg-color--light";

export async function draw(element) {
  const address = new URL(element.dataset.graph, document.baseURI);
  if (!loaded.has(address.href)) loaded.set(address.href, fetch(address).then((answer) => answer.json()).then((data) => prepare(data, address)));
  const graph = await loaded.get(address.href);
  const picture = element.dataset.page === undefined ? new Whole(element, graph) : new Local(element, graph);
  if (!picture.empty) picture.watch();
  else element.hidden = true;
}

function prepare(data, address) {
  const near = data.titles.map(() => new Set());
  for (let n = 0; n < data.links.length; n += 2) {
    near[data.links[n]].add(data.links[n + 1]);
    near[data.links[n + 1]].add(data.links[n]);
  }
  const root = new URL("../../", address);
  const size = near.map((set) => 3 + Math.min(6, Math.sqrt(set.size)));
  return { ...data, near, size, href: data.urls.map((url) => new URL(url || "./", root).href) };
}

/* What both pictures share: a canvas as sharp as the screen, the page's colours, and a way to go to a note. */
class Picture {
  constructor(element, graph) {
    Object.assign(this, { element, graph, canvas: element.querySelector("canvas"), at: -1 });
    this.pen = this.canvas.getContext("2d");
  }

  watch() {
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    new MutationObserver(() => this.paint()).observe(document.body, { attributes: true, attributeFilter: ["data-md-color-scheme"] });
    document.fonts?.ready.then(() => this.paint());
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const sharp = Math.min(3, devicePixelRatio || 1);
    Object.assign(this, { width, height, sharp });
    Object.assign(this.canvas, { width: width * sharp, height: height * sharp });
    this.arrange();
    this.paint();
  }

  paint() {
    if (!this.width || this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      const style = getComputedStyle(this.element);
      this.colour = (name) => style.getPropertyValue(name).trim() || "#888";
      this.font = style.fontFamily;
      this.pen.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
      this.pen.clearRect(0, 0, this.width, this.height);
      this.render();
    });
  }

  line(ax, ay, bx, by) {
    this.pen.moveTo(ax, ay);
    this.pen.lineTo(bx, by);
  }

  dot(x, y, radius, colour, ring) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fillStyle = colour;
    pen.fill();
    if (ring) {
      pen.strokeStyle = ring;
      pen.lineWidth = 2;
      pen.stroke();
    }
  }

  shade(note) {
    return this.colour(`--graph-${this.graph.group[note] + 1}`);
  }

  cut(text, room) {
    if (this.pen.measureText(text).width <= room) return text;
    let low = 0, high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pen.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
      else high = middle - 1;
    }
    return low > 2 ? `${text.slice(0, low).trimEnd()}…` : "";
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  hover(note) {
    if (note === this.at) return;
    this.at = note;
    this.canvas.style.cursor = note < 0 ? "" : "pointer";
    this.canvas.title = note < 0 ? "" : this.graph.titles[note];
    this.paint();
  }

  go(note, event) {
    if (event.ctrlKey || event.metaKey || event.button === 1) return open(this.graph.href[note], "_blank", "noopener");
    const link = Object.assign(document.createElement("a"), { href: this.graph.href[note], hidden: true });
    document.body.append(link); // a real link, so that instant navigation sees it
    link.click();
    link.remove();
  }
}

/* One note in the middle, what it is linked with around it, names to the outside. */
class Local extends Picture {
  constructor(element, graph) {
    super(element, graph);
    const { near } = graph;
    this.me = graph.urls.indexOf(element.dataset.page.replace(/^\.\/$/, ""));
    this.empty = this.me < 0 || !near[this.me].size;
    if (this.empty) return;
    const shared = (note) => [...near[note]].filter((other) => near[this.me].has(other)).length;
    const around = [...near[this.me]].sort((a, b) => shared(b) - shared(a) || near[b].size - near[a].size || a - b);
    const angle = (note) => Math.atan2(graph.y[note] - graph.y[this.me], graph.x[note] - graph.x[this.me]);
    this.more = Math.max(0, around.length - 20);
    this.around = around.slice(0, 20).sort((a, b) => angle(a) - angle(b));
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.find(...this.point(event))));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => {
      const note = this.find(...this.point(event));
      if (note >= 0 && note !== this.me) this.go(note, event);
    });
  }

  /* Two columns of names, left and right, as near to the notes' places in the whole graph as that allows. */
  arrange() {
    const { around, width, height, graph } = this;
    const half = Math.ceil(around.length / 2);
    const across = [...around].sort((a, b) => graph.x[a] - graph.x[b] || a - b);
    this.spot = new Map([[this.me, [width / 2, height / 2, 0]]]);
    for (const side of [-1, 1]) {
      const column = (side < 0 ? across.slice(0, half) : across.slice(half)).sort((a, b) => graph.y[a] - graph.y[b] || a - b);
      const step = Math.min(34, (height - 34) / Math.max(1, column.length - 1));
      column.forEach((note, n) => {
        const up = (n - (column.length - 1) / 2) * step;
        const bend = Math.cos((up / height) * 2.4);
        this.spot.set(note, [width / 2 + side * width * 0.19 * (0.45 + 0.55 * bend), height / 2 + up, side]);
      });
    }
  }

  find(x, y) {
    for (const [note, [at, up, side]] of this.spot ?? []) {
      const left = side < 0 ? 0 : at - 8, right = side > 0 ? this.width : at + 8;
      if (Math.abs(y - up) < 9 && x >= left && x <= right) return note;
    }
    return -1;
  }

  render() {
    const { pen, graph, spot, me, at } = this;
    pen.lineWidth = 1;
    for (const [a, [ax, ay]] of spot) {
      for (const b of graph.near[a]) {
        if (b < a || !spot.has(b)) continue;
        const strong = at === a || at === b || (at < 0 && (a === me || b === me));
        pen.globalAlpha = strong ? 0.55 : 0.13;
        pen.strokeStyle = this.colour(INK);
        pen.beginPath();
        this.line(ax, ay, spot.get(b)[0], spot.get(b)[1]);
        pen.stroke();
      }
    }
    pen.textBaseline = "middle";
    for (const [note, [x, y, side]] of spot) {
      const lit = at < 0 || at === note || note === me || graph.near[at]?.has(note);
      pen.globalAlpha = lit ? 1 : 0.35;
      this.dot(x, y, note === me ? 7 : 4.5, this.shade(note), this.colour(PAPER));
      if (!side) continue;
      pen.font = `${at === note ? 600 : 400} 12px ${this.font}`;
      pen.textAlign = side < 0 ? "right" : "left";
      pen.fillStyle = this.colour(INK);
      pen.fillText(this.cut(graph.titles[note], side < 0 ? x - 10 : this.width - x - 10), x + side * 9, y);
    }
    pen.globalAlpha = 1;
    if (this.more) {
      pen.font = `11px ${this.font}`;
      pen.textAlign = "center";
      pen.fillStyle = this.colour(FAINT);
      pen.fillText(`and ${this.more} more`, this.width / 2, this.height - 8);
    }
  }
}

/* The whole vault: drag, pinch, wheel or keys to move; search, folders and pointing to pick out. */
class Whole extends Picture {
  constructor(element, graph) {
    super(element, graph);
    this.empty = !graph.titles.length;
    this.lit = null; // the notes that are picked out, or null for all
    this.order = graph.titles.map((_, note) => note).sort((a, b) => graph.near[b].size - graph.near[a].size || a - b);
    this.fingers = new Map();
    const { canvas } = this;
    const listen = (name, does, options) => canvas.addEventListener(name, does, options);
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) listen(name, (event) => this.up(event));
    listen("pointerleave", () => this.hover(-1));
    listen("auxclick", (event) => this.at >= 0 && this.go(this.at, event));
    listen("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), ...this.point(event));
    }, { passive: false });
    listen("keydown", (event) => this.key(event));
    for (const button of element.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.button(button.dataset.zoom));
    this.field = element.querySelector("input");
    this.results = element.querySelector(".graph-found");
    this.field.addEventListener("input", () => this.search());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && this.lit?.size) this.show([...this.lit][0]);
      if (event.key === "Escape") this.search((this.field.value = ""));
    });
    this.legend();
  }

  legend() {
    const list = this.element.querySelector(".graph-legend");
    list.replaceChildren(...this.graph.groups.map((name, group) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.setAttribute("aria-pressed", "false");
      button.style.setProperty("--dot", `var(--graph-${group + 1})`);
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") === "true";
        for (const other of list.querySelectorAll("button")) other.setAttribute("aria-pressed", "false");
        button.setAttribute("aria-pressed", String(!on));
        this.search((this.field.value = ""));
        this.lit = on ? null : new Set(this.order.filter((note) => this.graph.group[note] === group));
        this.paint();
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  }

  search() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { titles, href } = this.graph;
    const found = words.length ? this.order.filter((note) => words.every((word) => titles[note].toLowerCase().includes(word))) : [];
    this.lit = words.length ? new Set(found) : null;
    this.results.hidden = !words.length;
    const items = found.slice(0, 8).map((note) => {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("a"), { href: href[note], textContent: titles[note] }));
      return item;
    });
    if (found.length > 8 || (words.length && !found.length)) {
      items.push(Object.assign(document.createElement("li"), { textContent: found.length ? `and ${found.length - 8} more` : "No note has these words in its title." }));
    }
    this.results.replaceChildren(...items);
    this.paint();
  }

  show(note) {
    this.scale = Math.max(this.scale, 1);
    this.x = this.width / 2 - this.graph.x[note] * this.scale;
    this.y = this.height / 2 - this.graph.y[note] * this.scale;
    this.hover(note);
    this.paint();
  }

  arrange() {
    if (this.scale === undefined) this.fit();
  }

  fit() {
    const { x, y } = this.graph;
    const [left, right, top, bottom] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
    this.scale = Math.min(1.6, (this.width - 90) / (right - left || 1), (this.height - 60) / (bottom - top || 1));
    this.x = this.width / 2 - ((left + right) / 2) * this.scale;
    this.y = this.height / 2 - ((top + bottom) / 2) * this.scale;
  }

  zoom(by, x = this.width / 2, y = this.height / 2) {
    const scale = Math.max(0.02, Math.min(6, this.scale * by));
    by = scale / this.scale;
    Object.assign(this, { scale, x: x - (x - this.x) * by, y: y - (y - this.y) * by });
    this.paint();
  }

  button(does) {
    if (does === "fit") {
      this.fit();
      this.paint();
    } else this.zoom(does === "in" ? 1.4 : 1 / 1.4);
  }

  key(event) {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) [this.x, this.y] = [this.x + step[0], this.y + step[1]];
    else if ("+=-0".includes(event.key)) this.button({ "-": "out", 0: "fit" }[event.key] ?? "in");
    else return;
    event.preventDefault();
    this.paint();
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.point(event));
    this.dragged = this.fingers.size > 1;
  }

  move(event) {
    const to = this.point(event), from = this.fingers.get(event.pointerId);
    if (!from) return this.hover(this.find(...to, event.pointerType === "touch"));
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]) || 1;
      this.zoom(apart(to) / apart(from), (to[0] + other[0]) / 2, (to[1] + other[1]) / 2);
    } else if (this.dragged || Math.hypot(to[0] - from[0], to[1] - from[1]) > 5) {
      this.dragged = true;
      this.x += to[0] - from[0];
      this.y += to[1] - from[1];
      this.paint();
    } else return;
    this.fingers.set(event.pointerId, to);
  }

  up(event) {
    const held = this.fingers.delete(event.pointerId);
    if (!held || this.dragged || event.type === "pointercancel" || event.button > 0) return;
    const touch = event.pointerType === "touch", before = this.at;
    const note = this.find(...this.point(event), touch);
    this.hover(note);
    if (note >= 0 && (!touch || note === before)) this.go(note, event); // a first touch points, a second opens
  }

  find(x, y, coarse) {
    let best = -1, least = coarse ? 22 : 12;
    const { graph, scale } = this;
    graph.titles.forEach((_, note) => {
      const far = Math.hypot(graph.x[note] * scale + this.x - x, graph.y[note] * scale + this.y - y) - graph.size[note] * 0.6;
      if (far < least && !(this.lit && !this.lit.has(note))) [best, least] = [note, far];
    });
    return best;
  }

  render() {
    const { pen, graph, scale, at } = this;
    const X = (note) => graph.x[note] * scale + this.x, Y = (note) => graph.y[note] * scale + this.y;
    const bright = at >= 0 ? new Set([at, ...graph.near[at]]) : this.lit;
    pen.strokeStyle = this.colour(INK);
    const lines = (strong) => {
      pen.globalAlpha = strong ? 0.5 : bright ? 0.05 : Math.max(0.09, Math.min(0.3, 160 / graph.links.length));
      pen.lineWidth = strong ? 1.2 : 0.8;
      pen.beginPath();
      for (let n = 0; n < graph.links.length; n += 2) {
        const [a, b] = [graph.links[n], graph.links[n + 1]];
        if (strong === (at >= 0 && (a === at || b === at))) this.line(X(a), Y(a), X(b), Y(b));
      }
      pen.stroke();
    };
    lines(false);
    if (at >= 0) lines(true);
    const grow = Math.max(0.55, Math.min(1.5, Math.sqrt(scale)));
    for (const note of [...this.order].reverse()) {
      pen.globalAlpha = !bright || bright.has(note) ? 1 : 0.18;
      this.dot(X(note), Y(note), graph.size[note] * grow, this.shade(note), note === at && this.colour(INK));
    }
    this.names(X, Y, grow, bright);
    pen.globalAlpha = 1;
  }

  /* As many names as fit without touching, the most linked notes first. */
  names(X, Y, grow, bright) {
    const { pen, graph, at } = this;
    const taken = [];
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.lineJoin = "round";
    const first = at >= 0 ? [at, ...this.order.filter((note) => note !== at && bright.has(note))] : bright ? this.order.filter((note) => bright.has(note)) : this.order;
    let drawn = 0;
    for (const note of first) {
      const x = X(note), y = Y(note) + graph.size[note] * grow + 3;
      if (x < 0 || x > this.width || y < -10 || y > this.height || drawn > 150) continue;
      pen.font = `${note === at ? 600 : 400} 12px ${this.font}`;
      const text = this.cut(graph.titles[note], note === at ? 420 : 190);
      const wide = pen.measureText(text).width / 2 + 3;
      const middle = Math.max(wide, Math.min(this.width - wide, x));
      const box = [middle - wide, y - 1, middle + wide, y + 14];
      if (note !== at && taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      drawn++;
      pen.globalAlpha = 0.85;
      pen.strokeStyle = this.colour(PAPER);
      pen.lineWidth = 4;
      pen.strokeText(text, middle, y);
      pen.globalAlpha = 1;
      pen.fillStyle = this.colour(INK);
      pen.fillText(text, middle, y);
    }
  }
}
