/* Where the heads of a small Transformer look while it turns the reader's digits around, or sorts them. */
import { add, argmax, attention, embedding, layerNorm, linear, map, relu, softmax, tensor } from "./nn.js";
import { button, choice, make, percent, table } from "./parts.js";

const [START, FIRST] = [1, 4];
const TASKS = { reverse: 2, sort: 3 };
const LONGEST = 14;

/** Sines and cosines of section 3.5, (n, d). */
function positions(n, d) {
  const y = new Float32Array(n * d);
  for (let t = 0; t < n; t++) {
    for (let i = 0; i < d; i += 2) {
      const angle = t * 10000 ** (-i / d);
      y[t * d + i] = Math.sin(angle);
      y[t * d + i + 1] = Math.cos(angle);
    }
  }
  return tensor(y, [n, d]);
}

/** The net: `encode(tokens)`, then `decode(tokens, memory)`; both return the weights of every head in `seen`. */
export function net(t, { heads, layers }) {
  const d = t["embedding.weight"].shape[1];
  const embed = (tokens) => add(map(embedding(tokens, t["embedding.weight"]), (v) => v * Math.sqrt(d)), positions(tokens.length, d));
  const attend = (name, x, memory, causal) => {
    const [q, k, v] = [["to_q", x], ["to_k", memory], ["to_v", memory]].map(([part, of]) => linear(of, t[`${name}.${part}.weight`]));
    const { found, weights } = attention(q, k, v, heads, causal);
    return { found: linear(found, t[`${name}.out.weight`]), weights };
  };
  const norm = (name, x, found) => layerNorm(add(x, found), t[`${name}.norm.gain`], t[`${name}.norm.bias`]);
  const ffn = (name, x) => {
    const of = (part, y) => linear(y, t[`${name}.ffn.${part}.weight`], t[`${name}.ffn.${part}.bias`]);
    return norm(`${name}.add_ffn`, x, of("outer", relu(of("inner", x))));
  };
  const encode = (tokens) => {
    let x = embed(tokens);
    const seen = [];
    for (let l = 0; l < layers; l++) {
      const { found, weights } = attend(`encoder.${l}.attend`, x, x, false);
      seen.push(weights);
      x = ffn(`encoder.${l}`, norm(`encoder.${l}.add_attended`, x, found));
    }
    return { memory: x, seen };
  };
  const decode = (tokens, memory) => {
    let x = embed(tokens);
    const [own, cross] = [[], []];
    for (let l = 0; l < layers; l++) {
      const itself = attend(`decoder.${l}.attend`, x, x, true);
      own.push(itself.weights);
      x = norm(`decoder.${l}.add_attended`, x, itself.found);
      const source = attend(`decoder.${l}.cross`, x, memory, false);
      cross.push(source.weights);
      x = ffn(`decoder.${l}`, norm(`decoder.${l}.add_crossed`, x, source.found));
    }
    return { logits: linear(x, t["embedding.weight"]), own, cross };
  };
  return { encode, decode };
}

/** Do a task: what is written, how sure the net is of the whole, its logits, and where its heads look. */
export function answer({ manifest, tensors }, task, digits, { encode, decode } = net(tensors, manifest.sizes)) {
  const { memory, seen } = encode([TASKS[task], ...[...digits].map((c) => FIRST + Number(c))]);
  const written = [START];
  let [sure, last] = [1, null];
  for (let i = 0; i < digits.length; i++) {
    last = decode(written, memory);
    const p = softmax(last.logits.data.slice(-last.logits.shape[1]));
    const best = argmax(p);
    sure *= p[best];
    written.push(best);
  }
  const out = written.slice(1).map((token) => (token >= FIRST ? String(token - FIRST) : "?")).join("");
  return { out, sure, logits: [...last.logits.data], looks: { source: seen, written: last.own, cross: last.cross } };
}

const wanted = (task, digits) => (task === "reverse" ? [...digits].reverse() : [...digits].sort()).join("");

/** What the net makes of the committed inputs, to be compared with torch. */
export function outputs(loaded) {
  return loaded.manifest.checks.map(({ input: [task, digits] }) => {
    const { logits, looks } = answer(loaded, task, digits);
    return [...logits, ...looks.cross.flat(3)];
  });
}

/** The strange strings that it gets wrong, the surest of each kind first. */
export function failures(loaded) {
  return Object.entries(loaded.manifest.strange).flatMap(([kind, strings]) => Object.keys(TASKS).flatMap((task) => strings.map((input) => {
    const { out, sure } = answer(loaded, task, input);
    return { kind, task, input, output: out, confidence: sure };
  })).filter(({ task, input, output }) => output !== wanted(task, input)).sort((a, b) => b.confidence - a.confidence));
}

export function start(stage, loaded) {
  const { manifest } = loaded;
  const whole = net(loaded.tensors, manifest.sizes);
  const digits = make("input", { type: "text", inputmode: "numeric", maxlength: LONGEST, autocomplete: "off", value: "314159", "aria-label": "Digits" });
  const said = make("p", { class: "demo-written", role: "status" });
  const read = make("p", { class: "demo-read", role: "status" });
  const heads = make("div", { class: "demo-heads" });
  const behind = table("Every number, as tables");
  const task = choice("Task", { reverse: "turn around", sort: "sort" }, "reverse", () => show());
  const which = choice("Looking", { cross: "from what is written to the digits", source: "from digit to digit", written: "from what is written back" }, "cross", () => show());
  const layer = choice("Layer", Object.fromEntries(Array.from({ length: manifest.sizes.layers }, (_, l) => [l, String(l + 1)])), String(manifest.sizes.layers - 1), () => show());

  const show = () => {
    const string = [...digits.value].filter((c) => c >= "0" && c <= "9").join("").slice(0, LONGEST);
    if (!string) {
      said.textContent = "Type some digits.";
      return;
    }
    const { out, sure, looks } = answer(loaded, task.value, string, whole);
    const right = out === wanted(task.value, string);
    said.replaceChildren(make("strong", {}, out), ` ${percent(sure)} sure, and ${right ? "right" : `wrong: ${wanted(task.value, string)} was asked for`}`);
    const [ask, begin] = [task.value === "sort" ? "S" : "R", "·"];
    const [from, to] = {
      cross: [[...out], [ask, ...string]], source: [[ask, ...string], [ask, ...string]], written: [[...out], [begin, ...out.slice(0, -1)]],
    }[which.value];
    const maps = looks[which.value][Number(layer.value)];
    const name = (h) => `Layer ${Number(layer.value) + 1}, head ${h + 1}`;
    const side = which.value === "source" ? "reading" : "writing";
    heads.replaceChildren(...maps.map((weights, h) => {
      const cells = weights.flatMap((row, r) => [make("b", {}, from[r]), ...row.map((w, c) => make("i", {
        style: `--w: ${w.toFixed(4)}`, "data-said": `${name(h)}: ${side} ${from[r]} (place ${r + 1}), it looks at ${to[c]} (place ${c + 1}) with ${percent(w)}`,
      }))]);
      return make("div", { class: "demo-head" }, make("h3", {}, `Head ${h + 1}`),
        make("div", { class: "demo-grid", role: "img", tabindex: 0, style: `--columns: ${to.length}`, "aria-label": `${name(h)}: ${from.length} rows, ${to.length} columns. Arrow keys read the values.` },
          make("b"), ...to.map((c) => make("b", {}, c)), ...cells));
    }));
    behind.set([name(0), ...to], maps[0].map((row, r) => [from[r], ...row.map((w) => w.toFixed(3))]));
    const rest = maps.slice(1).map((weights, h) => {
      const more = table("");
      more.set([name(h + 1), ...to], weights.map((row, r) => [from[r], ...row.map((w) => w.toFixed(3))]));
      return more.element.querySelector("table");
    });
    behind.element.querySelector(".demo-table").append(...rest);
    read.textContent = "Point at a square, or use the arrow keys in a map, to read its value.";
  };

  const tell = (cell) => {
    if (!cell?.dataset.said || cell.classList.contains("demo-here")) return;
    heads.querySelector(".demo-here")?.classList.remove("demo-here");
    cell.classList.add("demo-here");
    read.textContent = cell.dataset.said;
  };
  heads.addEventListener("pointermove", (event) => tell(event.target)); // not where the page moves under a pointer that rests
  heads.addEventListener("click", (event) => tell(event.target));
  heads.addEventListener("keydown", (event) => {
    const grid = event.target.closest(".demo-grid");
    const columns = grid && Number(grid.style.getPropertyValue("--columns"));
    const by = grid && { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!by) return;
    event.preventDefault();
    const cells = [...grid.querySelectorAll("i")];
    const at = cells.indexOf(grid.querySelector(".demo-here"));
    tell(cells[at < 0 ? 0 : Math.max(0, Math.min(cells.length - 1, at + by))]);
  });
  digits.addEventListener("input", show);

  const found = failures(loaded);
  const cases = make("ul", { class: "demo-cases" }, ...found.map(({ kind, task: asked, input, output, confidence }) => make("li", {},
    button(`${asked} ${input}`, () => {
      digits.value = input;
      task.element.querySelector(`[value="${asked}"]`).click();
      show();
    }), ` ${kind}: writes `, make("code", {}, output), ` (${percent(confidence)} sure)`)));
  stage.append(digits, task.element, said, which.element, layer.element, heads, read, behind.element,
    make("h3", {}, "Where it fails"),
    make("p", { class: "demo-hint" }, `It was taught strings of ${manifest.sizes.shortest} to ${manifest.sizes.longest} digits, and does ${percent(manifest.right)} of new ones without a mistake. It was taught never to be wholly sure of a digit, so that it is less sure of a long string than of a short one, right or wrong. Of kinds that it never met, these go wrong:`),
    cases);
  show();
}
