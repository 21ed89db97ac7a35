/* From noise to a digit: the small U-Net of papers/ddpm.py, and the walk back of Algorithm 2, step by step. */
import { add, argmax, attention, beside, conv, double, groupNorm, linear, map, relu, silu, softmax, tensor, transpose } from "./nn.js";
import { bars, button, choice, make, paint, percent, picture, slider, still, table } from "./parts.js";

/** Sines, then cosines, of steps that count from 0: (d). */
function timeEmbedding(t, d) {
  const y = new Float32Array(d);
  for (let i = 0; i < d / 2; i++) {
    const angle = t * Math.exp((-Math.log(10000) * i) / (d / 2 - 1));
    y[i] = Math.sin(angle);
    y[i + d / 2] = Math.cos(angle);
  }
  return tensor(y, [d]);
}

/** The net: a function from S by S pixels and a step, which counts from 0, to the noise that it sees in them. */
export function net(t, { size, channels, groups, levels, blocks, attend }) {
  const part = (name) => [t[`unet.${name}.weight`], t[`unet.${name}.bias`]];
  const norm = (name, x) => groupNorm(x, groups, ...part(name), 1e-6);
  const refined = (name, x, time) => { // ResidualBlock
    const told = linear(silu(time), ...part(`${name}.time`));
    const [w, b] = part(`${name}.conv_1`);
    const h = conv(silu(norm(`${name}.norm_1`, x)), w, tensor(b.data.map((v, i) => v + told.data[i]), b.shape), 1);
    const short = t[`unet.${name}.shortcut.weight`] ? conv(x, ...part(`${name}.shortcut`)) : x;
    return add(short, conv(silu(norm(`${name}.norm_2`, h)), ...part(`${name}.conv_2`), 1));
  };
  const attended = (name, x) => { // Attention
    const h = norm(`${name}.norm`, x);
    const pixels = transpose(tensor(h.data, [x.shape[0], h.data.length / x.shape[0]]));
    const [q, k, v] = ["to_q", "to_k", "to_v"].map((to) => linear(pixels, ...part(`${name}.${to}`)));
    return add(x, transpose(linear(attention(q, k, v, 1).found, ...part(`${name}.out`))));
  };
  const one = (name, i, x, time, here) => {
    const h = refined(`${name}.refine.${i}`, x, time);
    return here ? attended(`${name}.attend.${i}`, h) : h;
  };
  return (pixels, step) => {
    const time = linear(silu(linear(timeEmbedding(step, channels), ...part("time_1"))), ...part("time_2"));
    let h = conv(tensor(pixels, [1, size, size]), ...part("enter"), 1);
    const kept = [h];
    for (let level = 0; level < levels; level++) {
      for (let i = 0; i < blocks; i++) kept.push((h = one(`down.${level}`, i, h, time, size >> level === attend)));
      if (level < levels - 1) kept.push((h = conv(h, ...part(`down.${level}.resize`), 0, 1, 2)));
    }
    h = refined("middle_2", attended("attend", refined("middle_1", h, time)), time);
    for (let up = 0, level = levels - 1; level >= 0; up++, level--) {
      for (let i = 0; i <= blocks; i++) h = one(`up.${up}`, i, beside(h, kept.pop()), time, size >> level === attend);
      if (level > 0) h = conv(double(h), ...part(`up.${up}.resize`), 1);
    }
    return conv(silu(norm("norm", h)), ...part("leave"), 1).data;
  };
}

/** What a small classifier makes of S by S pixels: ten probabilities. */
export function judge(t) {
  const of = (i, x) => linear(x, t[`judge.${i}.weight`], t[`judge.${i}.bias`]);
  return (pixels) => softmax(of(2, relu(of(0, tensor(pixels, [pixels.length])))).data);
}

/** beta and alpha-bar at 0, 1, …, T, rounded to float32 as torch keeps them. */
export function rates(T) {
  const [beta, left] = [new Float32Array(T + 1), new Float32Array(T + 1).fill(1)];
  for (let t = 1, product = 1; t <= T; t++) {
    const rate = (0.1 + ((20 - 0.1) * (t - 1)) / (T - 1)) / T;
    beta[t] = rate;
    left[t] = product *= 1 - rate;
  }
  return { beta, left };
}

/** n of the steps from T to 0, evenly: n + 1 times, the last of them 0. */
export const times = (T, n) => Array.from({ length: n + 1 }, (_, i) => Math.round((T * (n - i)) / n));

/** 32 bits that look random, by a hash of a number below 2 ** 32. */
function scattered(i) {
  let a = Math.imul(i, 0x9e3779b1);
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (a ^ (a >>> 16)) >>> 0;
}

/** The noise of a seed that step t + 1 ends with, or, at T, that the walk begins with: n numbers, the same in Python. */
export function noise(seed, t, n) {
  const y = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const [a, b] = [0, 1].map((which) => (scattered(scattered(2 * seed + which) + n * t + i) + 0.5) / 2 ** 32);
    y[i] = Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b);
  }
  return y;
}

/** How wide the fresh noise of a step is, by its rate and what is left of the image after it and before. */
export const FRESH = {
  beta: (rate) => Math.sqrt(rate),
  small: (rate, left, before) => Math.sqrt((rate * (1 - before)) / (1 - left)),
  none: () => 0,
};

/** The walk of one seed from noise to image: `step()` takes the next, and `states` has what is known at every time. */
export class Walk {
  constructor({ manifest: { sizes } }, whole, seed, n = sizes.T, fresh = "beta") {
    Object.assign(this, { whole, seed, fresh, sizes, times: times(sizes.T, n), ...rates(sizes.T), states: [] });
    this.x = noise(seed, sizes.T, sizes.size ** 2);
  }

  /** Ask the net once, note x_t, the noise seen and the guess of x_0, and go a step back; whether there was one to go. */
  step() {
    const i = this.states.length;
    const [t, next] = [this.times[i], this.times[i + 1]];
    if (!t) {
      if (i < this.times.length) this.states.push({ x: this.x, noise: this.states.at(-1).noise, guess: this.x.map(clipped) });
      return false;
    }
    const { x, left, beta } = this;
    const seen = this.whole(x, t - 1);
    const [now, before] = [left[t], left[next]];
    const rate = next === t - 1 ? beta[t] : 1 - now / before;
    const guess = x.map((v, p) => clipped((v - Math.sqrt(1 - now) * seen[p]) / Math.sqrt(now))); // eq. 15
    const [a, b] = [(Math.sqrt(before) * rate) / (1 - now), (Math.sqrt(1 - rate) * (1 - before)) / (1 - now)]; // eq. 7
    const width = next ? FRESH[this.fresh](rate, now, before) : 0;
    const drawn = width ? noise(this.seed, next, x.length) : null;
    this.states.push({ x, noise: seen, guess });
    this.x = x.map((v, p) => a * guess[p] + b * v + (drawn ? width * drawn[p] : 0));
    return true;
  }

  /** Walk to the end and return the image. */
  end() {
    while (this.step());
    return this.x;
  }
}

const clipped = (v) => Math.max(-1, Math.min(1, v));

/** What the net makes of the committed inputs, to be compared with torch: noise seen at one step, or the end of a walk. */
export function outputs(loaded) {
  const { tensors, manifest: { sizes, checks } } = loaded;
  const whole = net(tensors, sizes);
  return checks.map(({ input: { seed, t, steps, fresh } }) => [...(t ? whole(noise(seed, sizes.T, sizes.size ** 2), t - 1) : new Walk(loaded, whole, seed, steps, fresh).end())]);
}

/** Of the first samples, those that the classifier is least sure of, the worst first. */
export function failures(loaded) {
  const { tensors, manifest: { sizes, tried, failures: { length } } } = loaded;
  const [whole, read] = [net(tensors, sizes), judge(tensors)];
  const found = Array.from({ length: tried }, (_, seed) => {
    const p = read(new Walk(loaded, whole, seed).end().map(clipped));
    return { kind: "no digit", seed, answer: argmax(p), confidence: Math.max(...p) };
  });
  return found.sort((a, b) => a.confidence - b.confidence).slice(0, length);
}

const AT_ONCE = 6; // walks side by side
const STRIP = 9; // times of one walk that are shown below
const MOMENT = 12; // milliseconds of arithmetic before the page may draw again

export function start(stage, loaded) {
  const { manifest, tensors } = loaded;
  const { T, size } = manifest.sizes;
  const [whole, read] = [net(tensors, manifest.sizes), judge(tensors)];
  const { left } = rates(T);
  let [pass, spent] = [Infinity, 0];
  for (let t = 0; t < 10 && spent < 250; t++) { // the first passes also compile the net
    const before = performance.now();
    whole(noise(0, T, size ** 2), t);
    const took = performance.now() - before;
    [pass, spent] = [Math.min(pass, took), spent + took];
  }
  let n = pass > 40 ? 25 : T; // a slow device begins with the short way
  let fresh = "beta";
  let [first, chosen] = [0, 0]; // the seed of the first of the walks, and which of them is looked at
  let walks = [];
  let front = 0; // how far all have walked; at: what is shown; goal: what will be
  let [at, goal] = [0, 0];
  let timer = 0;

  const ink = (label, attributes) => picture(label, attributes);
  const pictures = { x: ink("The image at this step"), noise: ink("The noise that the net sees in it"), guess: ink("What would be left without that noise") };
  const captions = { x: "the image so far, xₜ", noise: "the noise that the net sees in it", guess: "without it: the guess of x₀" };
  const figures = Object.entries(pictures).map(([name, canvas]) => make("figure", { class: "demo-figure" }, canvas, make("figcaption", {}, captions[name])));
  const chances = bars("What a small classifier reads in the guess", 3, "what a classifier reads in the guess");
  const told = make("p", { class: "demo-answer", role: "status" });
  const samples = make("div", { class: "demo-samples", role: "group", "aria-label": "Walks from different noise" });
  const strip = make("div", { class: "demo-strip", role: "group", "aria-label": "The way of the walk that is chosen" });
  const behind = table("The way as a table");

  const chart = new Chart(left);
  const slide = slider("Step", { min: 0, max: n, step: 1, value: 0, show: (i) => `t = ${times(T, n)[i]}` }, (i) => {
    goal = i;
    at = Math.max(0, Math.min(i, front));
    show();
    if (goal > front) go();
    else halt();
  });

  const paintIn = (canvas, values, range = 1) => paint(canvas, values, size, size, -range, range);
  const state = (k, i) => walks[k].states[i];
  const reading = (k, i) => (state(k, i).read ??= read(state(k, i).guess));
  const ticks = () => [...new Set(Array.from({ length: STRIP }, (_, i) => Math.round((n * i) / (STRIP - 1))))];

  const show = () => {
    slide.value = at;
    if (front < 0) return; // not all walks know their first guess
    const now = state(chosen, at);
    paintIn(pictures.x, now.x);
    paintIn(pictures.noise, now.noise, 2);
    paintIn(pictures.guess, now.guess);
    const p = reading(chosen, at);
    chances.set([...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, 3).map((k) => [String(k), p[k]]));
    [...samples.children].forEach((each, k) => {
      paintIn(each.firstChild, state(k, at).x);
      each.setAttribute("aria-pressed", k === chosen);
    });
    ticks().forEach((i, column) => {
      const each = strip.children[column];
      const there = state(chosen, i);
      each.disabled = !there;
      each.classList.toggle("demo-here", i === at);
      for (const [row, name] of [[1, "x"], [2, "guess"]]) if (there) paintIn(each.children[row], there[name]);
    });
    chart.show(walks[chosen].times[at], walks[chosen].states.map((each, i) => [walks[chosen].times[i], Math.max(...reading(chosen, i))]));
  };
  const speak = () => { // in words, for those who do not see it, when nothing moves
    const p = reading(chosen, at);
    const t = walks[chosen].times[at];
    told.replaceChildren(make("strong", {}, String(argmax(p))), ` is what the classifier reads in ${t ? `the guess at t = ${t}` : "the digit"}, and it is ${percent(Math.max(...p))} sure.`);
    behind.set(["t", "of the image, √ᾱ", "of noise, √(1 − ᾱ)", "read in the guess", "sure"], ticks().filter((i) => state(chosen, i)).map((i) => {
      const [time, each] = [walks[chosen].times[i], reading(chosen, i)];
      return [time, Math.sqrt(left[time]).toFixed(3), Math.sqrt(1 - left[time]).toFixed(3), argmax(each), percent(Math.max(...each))];
    }), `Seed ${walks[chosen].seed}`);
  };

  const compute = () => { // a moment's worth of steps, all walks abreast
    const began = performance.now();
    do {
      const behindMost = walks.reduce((a, b) => (b.states.length < a.states.length ? b : a));
      behindMost.step();
      front = Math.min(...walks.map((each) => each.states.length)) - 1;
    } while (front < n && performance.now() - began < MOMENT);
  };
  const halt = () => {
    cancelAnimationFrame(timer);
    timer = 0;
    play.textContent = "Play";
    if (front >= 0) speak();
  };
  const tick = () => {
    timer = 0;
    if (!stage.isConnected) return;
    if (front < n) compute();
    const ready = still() ? front === n || front >= goal : front >= 0;
    if (ready) at = still() ? Math.min(goal, front) : Math.min(at + 1, goal, front);
    if (ready) show();
    if (front < n || at < goal) {
      if (front < n) told.textContent = `Walking: step ${front + 1} of ${n}, ${walks.length} images.`;
      timer = requestAnimationFrame(tick);
    } else halt();
  };
  const go = () => {
    play.textContent = "Stop";
    if (!timer) timer = requestAnimationFrame(tick);
  };
  const set = (seed = first) => { // new walks, from their noise
    cancelAnimationFrame(timer);
    timer = 0;
    [first, front, at, goal] = [seed, -1, 0, n];
    slide.element.querySelector("input").max = n;
    walks = Array.from({ length: AT_ONCE }, (_, k) => new Walk(loaded, whole, first + k, n, fresh));
    samples.replaceChildren(...walks.map((each, k) => button(ink(`The image of seed ${each.seed}`), () => { chosen = k; show(); if (!timer && front >= 0) speak(); }, { "aria-label": `Look at seed ${each.seed}`, "aria-pressed": k === chosen })));
    strip.style.setProperty("--columns", ticks().length);
    strip.replaceChildren(...ticks().map((i) => {
      const t = walks[0].times[i];
      return button("", () => { at = goal = i; show(); if (front === n) halt(); else go(); }, { "aria-label": `Go to t = ${t}` });
    }));
    ticks().forEach((i, column) => strip.children[column].append(make("span", {}, String(walks[0].times[i])), ink(`The image at t = ${walks[0].times[i]}`), ink(`The guess at t = ${walks[0].times[i]}`)));
    show();
    go();
  };

  const play = button("Play", () => {
    if (timer) return halt();
    if (at === n) at = 0;
    goal = n;
    return go();
  });
  const step = button("One step", () => {
    cancelAnimationFrame(timer);
    timer = 0;
    goal = Math.min(at + 1, n);
    while (front < goal) compute();
    at = goal;
    show();
    halt();
  });
  const ways = choice("Steps", Object.fromEntries([100, 50, 25, 10, 5].map((steps) => [steps, String(steps)])), String(n), (steps) => { n = Number(steps); set(); });
  const kinds = choice("Fresh noise", { beta: "variance βₜ, the paper’s", small: "the smaller one of eq. 7", none: "none" }, fresh, (kind) => { fresh = kind; set(); });
  const with_ = (steps, kind, seed = first, k = chosen) => { // as if they had been chosen
    [n, fresh, chosen] = [steps, kind, k];
    ways.element.querySelector(`[value="${steps}"]`).checked = true;
    kinds.element.querySelector(`[value="${kind}"]`).checked = true;
    set(seed);
    stage.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
  };

  const gallery = make("ul", { class: "demo-gallery" }, ...manifest.failures.map(({ seed, answer, confidence }, i) => make("li", {},
    button(paint(ink(`The sample of seed ${seed}`), manifest.pictures[i], size, size, 0, 255), () => with_(T, "beta", seed, 0), { "aria-label": `Walk from the noise of seed ${seed}` }),
    make("p", {}, make("b", {}, `seed ${seed}`), ` read as ${answer}, ${percent(confidence)} sure`))));
  const share = (steps, kind) => percent(manifest.sure[`${steps} ${kind}`]);
  const cases = make("ul", { class: "demo-cases" }, ...[
    ["five steps", 5, "beta", `sure of ${share(5, "beta")}. Each step leaves more noise to the next than it can clear away, and specks stay.`],
    ["no fresh noise", T, "none", "all walks end in much the same thin stroke: each step goes to the mean of what may come, and nothing leads away from it."],
  ].map(([name, steps, kind, words]) => make("li", {}, button(name, () => with_(steps, kind)), make("span", {}, words))));

  stage.append(
    samples, make("div", { class: "demo-walk" }, ...figures, chances.element), told,
    make("div", { class: "demo-way" }, chart.element, slide.element),
    make("div", { class: "demo-row" }, play, step, button("New noise", () => set(first + AT_ONCE))),
    ways.element, kinds.element,
    make("h3", {}, "The way of this one"), strip,
    make("p", { class: "demo-hint" }, "Above the image, below the guess of its end. At first the guess is noise, cut off at black and white: next to nothing of an image is there. Then it is a blur of many digits, and it is one of them before the image shows it."),
    behind.element,
    make("h3", {}, "Where it fails"),
    make("p", { class: "demo-hint" }, `It has ${manifest.weights.parameters.toLocaleString("en")} weights and saw 4,500 digits. Of the first ${manifest.tried} samples, these are the ones that the classifier, right on ${percent(manifest.right)} of unseen digits, is least sure of. Choose one to see its way.`),
    gallery,
    make("p", { class: "demo-hint" }, `Of ${manifest.judged} samples it is at least 90% sure of ${share(100, "beta")}; of as many unseen digits, of ${percent(manifest.sure.digits)}. Two ways to do worse, with these noises:`),
    cases,
  );
  if (pass > 40) told.textContent = `This device takes ${Math.round(pass)} ms to ask the net once, so it begins with 25 steps.`;
  set();
}

/** The shares of image and noise from T to 0, how sure the classifier is of the guess, and where the walk is. */
class Chart {
  constructor(left) {
    const svg = (name, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
      return element;
    };
    this.T = left.length - 1;
    const line = (points) => points.map(([t, y]) => `${(100 * (this.T - t)) / this.T},${(100 * (1 - y)).toFixed(2)}`).join(" ");
    this.line = line;
    const shares = [...left];
    const parts = {
      image: ["of the image, √ᾱₜ", line(shares.map((v, t) => [t, Math.sqrt(v)]))],
      noise: ["of noise, √(1 − ᾱₜ)", line(shares.map((v, t) => [t, Math.sqrt(1 - v)]))],
      sure: ["how sure the classifier is of the guess", ""],
    };
    const drawn = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": "From t = 100 to t = 0 the share of noise falls from nearly 1 to 0 and that of the image rises from nearly 0 to 1; they are equal at about t = 26. How sure the classifier is comes with the walk; the table below has it." });
    drawn.append(svg("line", { x1: 0, x2: 100, y1: 100, y2: 100, class: "demo-axis" }));
    for (const [name, [, points]] of Object.entries(parts)) {
      this[name] = svg("polyline", { points, class: `demo-line demo-line-${name}` });
      drawn.append(this[name]);
    }
    this.here = svg("line", { y1: 0, y2: 100, class: "demo-position" });
    drawn.append(this.here);
    this.element = make("figure", { class: "demo-figure demo-chart" }, drawn,
      make("figcaption", {}, ...Object.entries(parts).map(([name, [words]]) => make("span", { class: `demo-key demo-line-${name}` }, words))));
  }

  show(t, sure) {
    const x = (100 * (this.T - t)) / this.T;
    this.here.setAttribute("x1", x);
    this.here.setAttribute("x2", x);
    this.sure.setAttribute("points", this.line(sure));
  }
}
