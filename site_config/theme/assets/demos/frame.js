/* What every demo needs: its weights, fetched when the reader asks for them, and a word where that fails. */

/** Float16 to float32, for browsers without Float16Array. */
export function half(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** Take a file of weights apart as its manifest says: name to {data, shape}; bytes stay bytes. */
export function unpack(buffer, manifest) {
  if (buffer.byteLength !== manifest.weights.bytes) {
    throw new Error(`the weights have ${buffer.byteLength} bytes, not ${manifest.weights.bytes}`);
  }
  const view = new DataView(buffer);
  const read = {
    f2: (at, i) => half(view.getUint16(at + 2 * i, true)),
    f4: (at, i) => view.getFloat32(at + 4 * i, true),
    u1: (at, i) => view.getUint8(at + i),
  };
  const tensors = {};
  for (const { name, shape, type, offset } of manifest.tensors) {
    const data = new (type === "u1" ? Uint8Array : Float32Array)(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) data[i] = read[type](offset, i);
    tensors[name] = { data, shape };
  }
  return tensors;
}

/** Fetch a manifest and its weights; `progress` is told the bytes that are there and those that will be. */
export async function load(json, bin, progress = () => {}, signal = undefined) {
  const manifest = JSON.parse(new TextDecoder().decode(await bytes(json, signal)));
  const weights = await bytes(bin, signal, (there) => progress(there, manifest.weights.bytes));
  return { manifest, tensors: unpack(weights.buffer, manifest) };
}

/** Fetch a file: its bytes, a piece after another where the browser can; whatever is wrong becomes a sentence. */
async function bytes(url, signal, told = () => {}) {
  const name = decodeURIComponent(new URL(url, location).pathname.split("/").pop());
  const sentence = (wrong) => (signal?.aborted ? wrong : new Error(`the connection broke while ${name} came`));
  const answer = await fetch(url, { signal }).catch((wrong) => { throw sentence(wrong); });
  if (!answer.ok) throw new Error(`${name} was answered with ${answer.status}`);
  try {
    if (!answer.body) return new Uint8Array(await answer.arrayBuffer());
    const pieces = [];
    let there = 0;
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      told((there += value.length));
    }
    const whole = new Uint8Array(there);
    pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
    return whole;
  } catch (wrong) {
    throw sentence(wrong);
  }
}

/** Bring the stage's style sheet, once. */
let coming = null;
function look() {
  coming ??= new Promise((have, fail) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: new URL("demos.css", import.meta.url) });
    link.onload = have;
    link.onerror = () => {
      link.remove();
      coming = null;
      fail(new Error("the connection broke while demos.css came"));
    };
    document.head.append(link);
  });
  return coming;
}

/** Start the demo of a box: load what it needs, then hand it a stage to play on; `signal` stops the loading. */
export async function start(box, say, signal) {
  const link = (ending) => box.querySelector(`.demo-loads a[href$=".demo.${ending}"]`)?.href;
  const part = import(new URL(`${box.dataset.demo}.js`, import.meta.url));
  const [demo, loaded] = await Promise.all([
    part,
    link("bin")
      ? load(link("json"), link("bin"), (n, all) => say(`Loading: ${Math.round(n / 1000)} of ${Math.round(all / 1000)} KB`), signal)
      : {},
    look(),
  ]);
  signal?.throwIfAborted?.();
  const stage = document.createElement("div");
  stage.className = "demo-stage";
  await demo.start(stage, loaded);
  return stage;
}
