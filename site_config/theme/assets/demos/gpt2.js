/* A small GPT-2 goes on with the reader's text, a character at a time, and shows what it weighs up. */
import { add, argmax, attention, embedding, gelu, layerNorm, linear, softmax, tensor } from "./nn.js";
import { bars, button, make, percent, slider, still } from "./parts.js";

const rows = (x, from, width) => { // columns `from` to `from + width` of each row
  const [t, d] = x.shape;
  const y = new Float32Array(t * width);
  for (let i = 0; i < t; i++) y.set(x.data.subarray(i * d + from, i * d + from + width), i * width);
  return tensor(y, [t, width]);
};
const below = (x, y) => (x ? tensor(Float32Array.of(...x.data, ...y.data), [x.shape[0] + y.shape[0], y.shape[1]]) : y);

/**
 * The net: `extend(tokens, cache)` reads tokens after those whose keys and values are in the cache, and returns the
 * logits of what follows the last one, and the cache with these. `cache` is null, or {n, blocks: [{k, v}, …]}.
 */
export function net(t, { heads, layers }) {
  const of = (name, x) => linear(x, t[`${name}.weight`], t[`${name}.bias`]);
  const norm = (name, x) => layerNorm(x, t[`${name}.gain`], t[`${name}.bias`]);
  const d = t["embedding.weight"].shape[1];
  return function extend(tokens, cache) {
    const n = cache ? cache.n : 0;
    let x = add(embedding(tokens, t["embedding.weight"]), embedding(tokens.map((_, i) => n + i), t["position.weight"]));
    const blocks = [];
    for (let l = 0; l < layers; l++) {
      const qkv = of(`blocks.${l}.attend.qkv`, norm(`blocks.${l}.attend_norm`, x));
      const past = cache?.blocks[l];
      const [k, v] = [below(past?.k, rows(qkv, d, d)), below(past?.v, rows(qkv, 2 * d, d))];
      blocks.push({ k, v });
      x = add(x, of(`blocks.${l}.attend.out`, attention(rows(qkv, 0, d), k, v, heads, true).found));
      x = add(x, of(`blocks.${l}.ffn.outer`, gelu(of(`blocks.${l}.ffn.inner`, norm(`blocks.${l}.ffn_norm`, x)))));
    }
    const last = tensor(x.data.slice(-d), [1, d]);
    return { logits: [...linear(norm("norm", last), t["embedding.weight"]).data], cache: { n: n + tokens.length, blocks } };
  };
}

/** A text that the net reads: it keeps keys and values, and when it has read all it can, begins again with the last half. */
export class Reader {
  constructor({ manifest, tensors }) {
    this.alphabet = [...manifest.alphabet];
    this.most = manifest.sizes.positions;
    this.extend = net(tensors, manifest.sizes);
  }

  /** Read a text from scratch; characters that it does not know are left out and returned. */
  read(text) {
    const known = [...text].filter((c) => this.alphabet.includes(c));
    this.text = known.length ? known : ["\n"];
    this.take(this.text.slice(-(this.most - 1)), null);
    return [...new Set([...text].filter((c) => !this.alphabet.includes(c)))];
  }

  /** Read one more character. */
  next(c) {
    this.text.push(c);
    if (this.cache.n === this.most) this.take(this.text.slice(-this.most / 2), null);
    else this.take([c], this.cache);
  }

  take(characters, cache) {
    const { logits, cache: kept } = this.extend(characters.map((c) => this.alphabet.indexOf(c)), cache);
    Object.assign(this, { logits, cache: kept });
  }

  /** What may come next, the likeliest first: [{c, p, kept}, …]; `kept` are those that make up `top`. */
  chances(heat = 1, top = 1) {
    const p = softmax(this.logits.map((v) => v / heat));
    let before = 0;
    return [...p.keys()].sort((a, b) => p[b] - p[a]).map((i) => {
      const kept = before < top;
      before += p[i];
      return { c: this.alphabet[i], p: p[i], kept };
    });
  }

  /** Draw a character; `random` is a number from 0 to 1. */
  draw(heat, top, random = Math.random()) {
    const kept = this.chances(heat, top).filter((chance) => chance.kept);
    let left = random * kept.reduce((sum, { p }) => sum + p, 0);
    return (kept.find(({ p }) => (left -= p) < 0) ?? kept[0]).c;
  }
}

/** Go on with the likeliest character, n times. */
export function likeliest(loaded, text, n) {
  const reader = new Reader(loaded);
  reader.read(text);
  let out = "";
  for (let i = 0; i < n; i++) {
    const c = reader.alphabet[argmax(reader.logits)];
    out += c;
    if (i < n - 1) reader.next(c);
  }
  return out;
}

/** What the net makes of the committed inputs, to be compared with torch. */
export function outputs(loaded) {
  const reader = new Reader(loaded);
  return loaded.manifest.checks.map(({ input }) => {
    reader.read(input.slice(0, 5)); // the rest comes a character at a time, through the cache
    for (const c of input.slice(5)) reader.next(c);
    return reader.logits;
  });
}

/** What it makes of texts of kinds that it was never taught. */
export const failures = (loaded) => loaded.manifest.failures.map(({ kind, input, output }) => ({ kind, input, output: likeliest(loaded, input, [...output].length) }));

const seen = (c) => ({ " ": "space", "\n": "line" })[c] ?? c;

export function start(stage, loaded) {
  const reader = new Reader(loaded);
  const text = make("textarea", { spellcheck: "false", "aria-label": "Text to go on with" });
  text.value = "The function returns";
  const said = make("p", { class: "demo-read", role: "status" });
  const chances = bars("What may come next", 8, "What it gives each character to come next; those that top-p cuts off are in brackets.");
  let timer = 0;
  const heat = slider("Temperature", { min: 0.1, max: 2, step: 0.05, value: 0.8, show: (v) => v.toFixed(2) }, () => show());
  const top = slider("Top-p", { min: 0.05, max: 1, step: 0.05, value: 0.95, show: (v) => v.toFixed(2) }, () => show());
  const show = () => chances.set(reader.chances(heat.value, top.value).slice(0, 8).map(({ c, p, kept }) => [kept ? seen(c) : `(${seen(c)})`, p, percent(p)]));
  const read = () => {
    const unknown = reader.read(text.value);
    const kept = `It sees the last ${reader.cache.n} characters, of ${reader.most} at most.`;
    said.textContent = unknown.length ? `${kept} It does not know ${unknown.slice(0, 8).join(" ")} and leaves it out.` : kept;
    show();
  };
  const halt = () => {
    clearTimeout(timer);
    timer = 0;
    more.textContent = "Write 200 characters";
  };
  const one = () => {
    const c = reader.draw(heat.value, top.value);
    reader.next(c);
    text.value += c;
    text.scrollTop = text.scrollHeight;
    show();
  };
  const many = () => {
    if (timer) return halt();
    let left = 200;
    more.textContent = "Stop";
    const tick = () => { // all in a few pieces for those who asked for no motion
      for (let n = still() ? 50 : 1; n && left; n--, left--) one();
      if (left && stage.isConnected) timer = setTimeout(tick, 12);
      else {
        halt();
        said.textContent = `Written. The keys and values of ${reader.cache.n} characters are kept, so that each step reads one.`;
      }
    };
    return tick();
  };
  const more = button("Write 200 characters", many);
  text.addEventListener("input", () => { halt(); read(); });
  const begin = (words) => { halt(); text.value = words; read(); };
  const cases = make("ul", { class: "demo-cases" }, ...failures(loaded).map(({ kind, input, output }) => make("li", {},
    button(kind, () => begin(input), { "aria-label": `${kind}: try it` }), make("code", {}, input, make("mark", {}, output)))));
  stage.append(text,
    make("div", { class: "demo-row" }, more, button("Write one", () => { halt(); one(); }), button("Begin anew", () => begin("The function returns"))),
    said, heat.element, top.element, chances.element,
    make("h3", {}, "Where it fails"),
    make("p", { class: "demo-hint" }, `It has ${loaded.manifest.weights.parameters.toLocaleString("en")} weights and was taught the help texts of Python alone. Always taking the likeliest character, it goes on like this:`),
    cases);
  read();
}
