// Standard normal numbers from words, to the bit those of src/OnnxDistill.Runtime/Noise/Distributions.cs: Box and Muller with fitted polynomials in float32.

const { fround } = Math;
const bits = new Int32Array(1), float = new Float32Array(bits.buffer);

/**
 * a * b + c of float32 numbers, rounded once. A double holds the product exactly; the sum rounds twice, which shows only where the double lies half way
 * between two floats: then the sum's own error says which of them is nearer.
 */
function fma(a, b, c) {
  const product = a * b, sum = product + c, near = fround(sum), rest = sum - near;
  if (rest === 0 || fround(near + 2 * rest) !== near + 2 * rest)
    return near;
  const part = sum - product, error = (product - (sum - part)) + (c - part);
  return error === 0 ? near : (error > 0) === (rest > 0) ? near + 2 * rest : near;
}

/** The polynomial of those float32 coefficients, highest first. */
function horner(coefficients, x) {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++)
    sum = fma(sum, x, coefficients[i]);
  return sum;
}

const logarithm = new Float32Array([-0.12125581, 0.1342575, -0.1234619, 0.1411831, -0.1667014, 0.20003781, -0.24999988, 0.3333332, -0.5]);
const sine = new Float32Array([-0.00019587891, 0.008332748, -0.16666664]);
const cosine = new Float32Array([2.4547942E-05, -0.0013888302, 0.04166666, -0.5, 1]);
const ln2 = fround(0.6931472), quarterTurn = fround(Math.PI / 2 / 2 ** 30);
float[0] = 2 / 3;
const twoThirds = bits[0];

/** ln((word + 1/2) / 2^32); from 2/3 on by way of 1 - u. */
function logOfUnit(word) {
  const high = word > 0xAAAAAAAA;
  const distance = fround(fround(fround(high ? ~word >>> 0 : word) + 0.5) * 2 ** -32);
  let f = -distance, exponent = 0;
  if (!high) {
    float[0] = distance;
    exponent = (bits[0] - twoThirds) >> 23;
    bits[0] -= exponent << 23;
    f = fround(float[0] - 1);
  }
  return fma(exponent, ln2, fma(fround(horner(logarithm, f) * f), f, f));
}

/**
 * Two standard normal numbers.
 * @param {number} radius An unsigned word.
 * @param {number} angle Another.
 * @param {Float32Array} pair Where they go.
 */
export function normalPair(radius, angle, pair) {
  const r = fround(Math.sqrt(fround(-2 * logOfUnit(radius))));
  const turns = angle | 0, quarter = ((turns + (1 << 29)) | 0) >> 30;
  const x = fround(fround((turns - (quarter << 30)) | 0) * quarterTurn), z = fround(x * x);
  const s = fma(fround(horner(sine, z) * z), x, x), c = horner(cosine, z);
  const swap = (quarter & 1) !== 0;
  const sin = (quarter & 2) !== 0 ? -(swap ? c : s) : swap ? c : s;
  const cos = ((quarter + 1) & 2) !== 0 ? -(swap ? s : c) : swap ? s : c;
  pair[0] = r * cos;
  pair[1] = r * sin;
}
