// The random numbers of OnnxDistill.Runtime.Noise.NoiseStream, bit for bit: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3;
// SC 2011), keyed by the seed, its counter made of block, stream and step. So a seed gives the same picture here as 'onnxdistill sample --seed' does.

/** Names of the streams that OnnxDistill draws from; any other name makes a stream of its own. */
export const Streams = { latent: 'z', noise: 'epsilon', noiseLevel: 'sigma', labels: 'labels', data: 'data', weights: 'weights' };

/** The number of a stream: FNV-1a over the name's UTF-8 bytes. */
export function streamId(name) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(name))
    hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return hash;
}

/** Random numbers by counter: each depends on seed, stream, step and its index only. */
export class NoiseStream {
  /**
   * @param {bigint | number} seed The run's or picture's seed, 64 bits with sign.
   * @param {string} name The stream's name.
   */
  constructor(seed, name) {
    const bits = BigInt.asUintN(64, BigInt(seed));
    this.key0 = Number(bits & 0xFFFFFFFFn);
    this.key1 = Number(bits >> 32n);
    this.stream = streamId(name);
  }

  /** Fills a Float32Array with standard normal numbers: elements firstIndex, firstIndex + 1, ... of the step. */
  fillNormal(target, step = 0, firstIndex = 0) {
    this.#fill(target, step, firstIndex, normals);
  }

  /** Fills a Float32Array with uniform numbers on [0, 1), multiples of 2^-24. */
  fillUniform(target, step = 0, firstIndex = 0) {
    this.#fill(target, step, firstIndex, uniforms);
  }

  /** Fills an array of BigInts (a BigInt64Array) with whole numbers from 0 to below the bound. */
  fillIntegers(target, bound, step = 0, firstIndex = 0) {
    const words = new Uint32Array(4);
    for (let i = 0; i < target.length; i++) {
      const index = firstIndex + i;
      this.#block(Math.floor(index / 2), step, words);
      const at = index % 2 * 2;
      target[i] = ((BigInt(words[at + 1]) << 32n | BigInt(words[at])) * BigInt(bound)) >> 64n;
    }
  }

  // Element i of a group of 32 is word i / 8 of block i % 8.
  #fill(target, step, firstIndex, transform) {
    const group = new Float32Array(32);
    const words = new Uint32Array(4);
    for (let done = 0; done < target.length;) {
      const index = firstIndex + done;
      const skip = index % 32;
      for (let lane = 0; lane < 8; lane++) {
        this.#block(Math.floor(index / 32) * 8 + lane, step, words);
        transform(words, group, lane);
      }
      const part = group.subarray(skip, Math.min(32, skip + target.length - done));
      target.set(part, done);
      done += part.length;
    }
  }

  #block(block, step, words) {
    let [c0, c1, c2, c3] = [block >>> 0, this.stream, step % 2 ** 32 >>> 0, Math.floor(step / 2 ** 32) >>> 0];
    let [k0, k1] = [this.key0, this.key1];
    for (let round = 0; round < 10; round++) {
      const [high0, high1] = [upperProduct(0xD2511F53, c0), upperProduct(0xCD9E8D57, c2)];
      const [low0, low1] = [Math.imul(0xD2511F53, c0), Math.imul(0xCD9E8D57, c2)];
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1 >>> 0;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0 >>> 0;
      k0 = (k0 + 0x9E3779B9) >>> 0;
      k1 = (k1 + 0xBB67AE85) >>> 0;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
  }
}

// The upper 32 bits of a product of two 32-bit numbers, from products of their halves.
function upperProduct(a, b) {
  const [a0, a1, b0, b1] = [a & 0xFFFF, a >>> 16, b & 0xFFFF, b >>> 16];
  const low = a0 * b0;
  const middle = a1 * b0 + (low >>> 16);
  const other = a0 * b1 + middle % 65536;
  return (a1 * b1 + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

function uniforms(words, group, lane) {
  for (let j = 0; j < 4; j++)
    group[8 * j + lane] = (words[j] >>> 8) / 2 ** 24;
}

// Box and Muller: two words make a radius and an angle, those two normals.
function normals(words, group, lane) {
  for (let j = 0; j < 4; j += 2) {
    const radius = round32(Math.sqrt(round32(-2 * logOfUnit(words[j]))));
    const [sin, cos] = sinCosOfTurn(words[j + 1]);
    group[8 * j + lane] = radius * cos;
    group[8 * (j + 1) + lane] = radius * sin;
  }
}

const round32 = Math.fround;
const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);

// a b + c of float32 numbers with one rounding, as the processor's instruction does it. The product is exact in a double; the sum is first rounded to odd (the neighbour
// whose last bit is 1), so that rounding it a second time, to a float32, cannot land on the wrong side of a tie.
function fusedMultiplyAdd(a, b, c) {
  const product = a * b;
  const sum = product + c;
  const back = sum - product;
  const error = (product - (sum - back)) + (c - back);
  if (error === 0)
    return round32(sum);
  double[0] = sum;
  if ((doubleBits[0] & 1) === 0) {
    if (error > 0 === sum > 0) {
      doubleBits[0] += 1;
    } else {
      doubleBits[1] -= doubleBits[0] === 0 ? 1 : 0;
      doubleBits[0] -= 1;
    }
  }
  return round32(double[0]);
}

const logTerms = [0.1342575, -0.1234619, 0.1411831, -0.1667014, 0.20003781, -0.24999988, 0.3333332, -0.5].map(round32);
const logStart = round32(-0.12125581);
const ln2 = round32(0.6931472);

// ln((w + 1/2) / 2^32).
function logOfUnit(word) {
  const isHigh = word > 0xAAAAAAAA;
  const distance = round32(round32(round32(isHigh ? ~word >>> 0 : word) + 0.5) / 2 ** 32);
  float[0] = 2 / 3;
  const origin = floatBits[0];
  float[0] = distance;
  const exponent = isHigh ? 0 : (floatBits[0] - origin) >> 23;
  floatBits[0] -= exponent << 23;
  const f = isHigh ? -distance : round32(float[0] - 1);
  const p = logTerms.reduce((sum, term) => fusedMultiplyAdd(sum, f, term), logStart);
  return fusedMultiplyAdd(exponent, ln2, fusedMultiplyAdd(round32(p * f), f, f));
}

const sinTerms = [-0.00019587891, 0.008332748, -0.16666664].map(round32);
const cosTerms = [2.4547942e-5, -0.0013888302, 0.04166666, -0.5, 1].map(round32);
const turnUnit = round32(Math.PI / 2 / (1 << 30));

// Sine and cosine of w / 2^32 turns.
function sinCosOfTurn(word) {
  const quarter = ((word | 0) + (1 << 29) | 0) >> 30;
  const x = round32(round32((word | 0) - (quarter << 30) | 0) * turnUnit);
  const z = round32(x * x);
  const [s0, ...sines] = sinTerms;
  const s = sines.reduce((sum, term) => fusedMultiplyAdd(sum, z, term), s0);
  const sin = fusedMultiplyAdd(round32(s * z), x, x);
  const [c0, ...cosines] = cosTerms;
  const cos = cosines.reduce((sum, term) => fusedMultiplyAdd(sum, z, term), c0);
  const [first, second] = quarter & 1 ? [cos, sin] : [sin, cos];
  return [quarter & 2 ? -first : first, quarter + 1 & 2 ? -second : second];
}
