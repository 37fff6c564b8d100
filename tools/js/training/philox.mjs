// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011): the words of src/OnnxDistill.Runtime/Noise/Philox4x32.cs.

const multiplier0 = 0xD2511F53, multiplier1 = 0xCD9E8D57;
const weyl0 = 0x9E3779B9, weyl1 = 0xBB67AE85;

/** The upper half of a 64-bit product of 32-bit numbers, as a signed number. */
function upper(a, b) {
  const aLow = a & 0xFFFF, aHigh = a >>> 16, bLow = b & 0xFFFF, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) | 0;
}

/**
 * The block of one counter.
 * @param {Uint32Array} block The counter's four words; replaced by what Philox makes of them.
 * @param {number} key0
 * @param {number} key1
 */
export function philox(block, key0, key1) {
  let [c0, c1, c2, c3] = block;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(multiplier0, c0), low1 = Math.imul(multiplier1, c2);
    const next0 = upper(multiplier1, c2) ^ c1 ^ key0, next2 = upper(multiplier0, c0) ^ c3 ^ key1;
    c0 = next0 >>> 0, c1 = low1, c2 = next2 >>> 0, c3 = low0;
    key0 = (key0 + weyl0) | 0;
    key1 = (key1 + weyl1) | 0;
  }
  block[0] = c0, block[1] = c1, block[2] = c2, block[3] = c3;
}
