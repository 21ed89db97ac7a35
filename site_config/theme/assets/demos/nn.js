/* A forward pass by hand. A tensor is {data: Float32Array, shape}; rows are what PyTorch calls the last axis. */

export const tensor = (data, shape) => ({ data: data instanceof Float32Array ? data : Float32Array.from(data), shape });
export const zeros = (...shape) => tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
export const map = (x, f) => tensor(x.data.map(f), x.shape);
export const add = (x, y) => tensor(x.data.map((v, i) => v + y.data[i]), x.shape);
export const argmin = (values) => values.reduce((best, v, i) => (v < values[best] ? i : best), 0);
export const argmax = (values) => values.reduce((best, v, i) => (v > values[best] ? i : best), 0);

export const relu = (x) => map(x, (v) => (v > 0 ? v : 0));
export const tanh = (x) => map(x, Math.tanh);
export const sigmoid = (x) => map(x, (v) => 1 / (1 + Math.exp(-v)));
export const silu = (x) => map(x, (v) => v / (1 + Math.exp(-v)));
/** GELU in its tanh form, as GPT-2 has it. */
export const gelu = (x) => map(x, (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));

/** x (T, D) times w (H, D) transposed, plus b (H): torch's Linear. */
export function linear(x, w, b) {
  const [h, d] = w.shape;
  const rows = x.data.length / d;
  const y = zeros(...x.shape.slice(0, -1), h);
  for (let t = 0; t < rows; t++) {
    for (let j = 0; j < h; j++) {
      let sum = b ? b.data[j] : 0;
      for (let i = 0; i < d; i++) sum += x.data[t * d + i] * w.data[j * d + i];
      y.data[t * h + j] = sum;
    }
  }
  return y;
}

let patches = new Float64Array(0); // of the convolution under way, (rows * columns, C * K * K)

/**
 * x (C, Y, X) convolved with w (M, C, K, K), plus b (M), every `stride`-th pixel; `pad` rows and columns of 0 stand above
 * and left, `after` below and right. All patches are laid out first, and then each is multiplied by four maps at a time.
 */
export function conv(x, w, b, pad = 0, after = pad, stride = 1) {
  const [c, height, width] = x.shape;
  const [m, , k] = w.shape;
  const [rows, columns] = [height, width].map((side) => Math.floor((side + pad + after - k) / stride) + 1);
  const [n, all] = [c * k * k, rows * columns];
  if (patches.length < all * n) patches = new Float64Array(all * n);
  for (let r = 0, at = 0; r < rows; r++) {
    for (let s = 0; s < columns; s++) {
      for (let i = 0; i < c; i++) {
        for (let p = stride * r - pad, row = 0; row < k; row++, p++) {
          for (let q = stride * s - pad, column = 0; column < k; column++, q++, at++) {
            patches[at] = p >= 0 && p < height && q >= 0 && q < width ? x.data[(i * height + p) * width + q] : 0;
          }
        }
      }
    }
  }
  const [y, kernels, bias] = [zeros(m, rows, columns), Float64Array.from(w.data), b ? b.data : new Float32Array(m)];
  const kernel = (map) => n * Math.min(map, m - 1); // where it begins; past the last map that one again, and nothing is written
  for (let j = 0; j < m; j += 4) {
    const k0 = kernel(j), k1 = kernel(j + 1), k2 = kernel(j + 2), k3 = kernel(j + 3);
    for (let pixel = 0; pixel < all; pixel++) {
      let y0 = 0, y1 = 0, y2 = 0, y3 = 0;
      for (let i = 0, from = pixel * n; i < n; i++) {
        const value = patches[from + i];
        y0 += value * kernels[k0 + i];
        y1 += value * kernels[k1 + i];
        y2 += value * kernels[k2 + i];
        y3 += value * kernels[k3 + i];
      }
      const at = j * all + pixel;
      y.data[at] = y0 + bias[j];
      if (j + 1 < m) y.data[at + all] = y1 + bias[j + 1];
      if (j + 2 < m) y.data[at + 2 * all] = y2 + bias[j + 2];
      if (j + 3 < m) y.data[at + 3 * all] = y3 + bias[j + 3];
    }
  }
  return y;
}

/** Add up squares of 2 by 2 of x (C, Y, X); four times the average pool. */
export function pool(x) {
  const [c, height, width] = x.shape;
  const y = zeros(c, height >> 1, width >> 1);
  for (let i = 0, at = 0; i < c; i++) {
    for (let r = 0; r + 1 < height; r += 2) {
      for (let s = 0; s + 1 < width; s += 2, at++) {
        const first = (i * height + r) * width + s;
        y.data[at] = x.data[first] + x.data[first + 1] + x.data[first + width] + x.data[first + width + 1];
      }
    }
  }
  return y;
}

/** The softmax of a list of numbers; -Infinity becomes 0. */
export function softmax(values) {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Array.from(values, (v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}

/** Every pixel of x (C, Y, X) four times, as a square. */
export function double(x) {
  const [c, height, width] = x.shape;
  const y = zeros(c, 2 * height, 2 * width);
  for (let at = 0; at < y.data.length; at++) {
    const row = Math.floor(at / (2 * width));
    y.data[at] = x.data[(row >> 1) * width + ((at % (2 * width)) >> 1)]; // 2 * height is even: halved, rows stay in their map
  }
  return y;
}

/** The maps of two images (C, Y, X) and (D, Y, X), one after another. */
export function beside(x, y) {
  const both = zeros(x.shape[0] + y.shape[0], ...x.shape.slice(1));
  both.data.set(x.data);
  both.data.set(y.data, x.data.length);
  return both;
}

/** x (T, D) as (D, T). */
export function transpose(x) {
  const [t, d] = x.shape;
  const y = zeros(d, t);
  for (let i = 0; i < t; i++) for (let j = 0; j < d; j++) y.data[j * t + i] = x.data[i * d + j];
  return y;
}

/** Normalise each of `groups` groups of maps of x (C, Y, X), then scale by gain (C) and shift by bias (C). */
export function groupNorm(x, groups, gain, bias, eps) {
  const [c] = x.shape;
  const [size, whole] = [x.data.length / c, x.data.length / groups];
  const y = zeros(...x.shape);
  for (let start = 0; start < x.data.length; start += whole) {
    let [mean, variance] = [0, 0];
    for (let i = start; i < start + whole; i++) mean += x.data[i] / whole;
    for (let i = start; i < start + whole; i++) variance += (x.data[i] - mean) ** 2 / whole;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let i = start; i < start + whole; i++) {
      const j = Math.floor(i / size);
      y.data[i] = gain.data[j] * (x.data[i] - mean) * scale + bias.data[j];
    }
  }
  return y;
}

/** Normalise each row of x (T, D), then scale by gain (D) and shift by bias (D). */
export function layerNorm(x, gain, bias, eps = 1e-5) {
  const d = gain.data.length;
  const y = zeros(...x.shape);
  for (let start = 0; start < x.data.length; start += d) {
    let [mean, variance] = [0, 0];
    for (let i = 0; i < d; i++) mean += x.data[start + i] / d;
    for (let i = 0; i < d; i++) variance += (x.data[start + i] - mean) ** 2 / d;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let i = 0; i < d; i++) y.data[start + i] = gain.data[i] * (x.data[start + i] - mean) * scale + bias.data[i];
  }
  return y;
}

/**
 * Attention in `heads` heads of queries (T, D) to keys and values (S, D): what is found, (T, D), and the weights,
 * one list of S numbers for each head and query. With `causal` the last query sees all keys, the one before one less.
 */
export function attention(q, k, v, heads, causal = false) {
  const [T, d] = q.shape;
  const S = k.shape[0];
  const width = d / heads;
  const found = zeros(T, d);
  const weights = [];
  for (let h = 0; h < heads; h++) {
    weights.push([]);
    for (let t = 0; t < T; t++) {
      const scores = [];
      for (let s = 0; s < S; s++) {
        let dot = 0;
        for (let i = h * width; i < (h + 1) * width; i++) dot += q.data[t * d + i] * k.data[s * d + i];
        scores.push(causal && s > S - T + t ? -Infinity : dot / Math.sqrt(width));
      }
      const share = softmax(scores);
      weights[h].push(share);
      for (let i = h * width; i < (h + 1) * width; i++) {
        let sum = 0;
        for (let s = 0; s < S; s++) sum += share[s] * v.data[s * d + i];
        found.data[t * d + i] = sum;
      }
    }
  }
  return { found, weights };
}

/** The rows of a table (V, D) that tokens name. */
export function embedding(tokens, table) {
  const d = table.shape[1];
  const y = zeros(tokens.length, d);
  tokens.forEach((token, t) => y.data.set(table.data.subarray(token * d, (token + 1) * d), t * d));
  return y;
}
