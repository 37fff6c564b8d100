// Random numbers by counter, the same as those of src/OnnxDistill.Runtime/Noise/NoiseStream.cs: every number is a function of seed, stream, step and index.
import { normalPair } from './normal.mjs';
import { philox } from './philox.mjs';

/** The number of a stream's name: FNV-1a over its UTF-8 bytes. */
export function streamId(name) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(name))
    hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0;
}

/** One kind of draw of a run. */
export class NoiseStream {
  #key0; #key1; #stream;
  #block = new Uint32Array(4);
  #words = new Uint32Array(32);
  #pair = new Float32Array(2);

  /**
   * @param {number} seed An integer, the run's.
   * @param {string} name
   */
  constructor(seed, name) {
    this.#key0 = Number(BigInt.asIntN(32, BigInt(seed)));
    this.#key1 = Number(BigInt.asIntN(32, BigInt(seed) >> 32n));
    this.#stream = streamId(name);
  }

  /**
   * Standard normal numbers.
   * @param {Float32Array} target
   * @param {number} step
   */
  fillNormal(target, step) {
    this.#fill(target, step, words => {
      // Words 0 and 1 of a block make one pair, words 2 and 3 another; a group's word j of block i stands at 8 j + i.
      for (const first of [0, 16]) {
        for (let i = first; i < first + 8; i++) {
          normalPair(words[i], words[i + 8], this.#pair);
          this.#numbers[i] = this.#pair[0];
          this.#numbers[i + 8] = this.#pair[1];
        }
      }
    });
  }

  /**
   * Uniform numbers in [0, 1), multiples of 2^-24.
   * @param {Float32Array} target
   * @param {number} step
   */
  fillUniform(target, step) {
    this.#fill(target, step, words => {
      for (let i = 0; i < 32; i++)
        this.#numbers[i] = (words[i] >>> 8) * 2 ** -24;
    });
  }

  /**
   * Uniform integers from 0 to below the bound.
   * @param {BigInt64Array} target
   * @param {number} bound
   * @param {number} step
   * @param {number} [first] Index of the target's first element within the step.
   */
  fillIntegers(target, bound, step, first = 0) {
    for (let i = 0; i < target.length; i++) {
      const index = first + i, at = 2 * (index % 2);
      const words = this.#generate(Math.floor(index / 2), step);
      target[i] = (((BigInt(words[at + 1]) << 32n) | BigInt(words[at])) * BigInt(bound)) >> 64n;
    }
  }

  #numbers = new Float32Array(32);

  #fill(target, step, transform) {
    for (let first = 0; first < target.length; first += 32) {
      for (let i = 0; i < 8; i++) {
        const block = this.#generate(first / 4 + i, step);
        for (let j = 0; j < 4; j++)
          this.#words[8 * j + i] = block[j];
      }
      transform(this.#words);
      target.set(this.#numbers.subarray(0, Math.min(32, target.length - first)), first);
    }
  }

  #generate(block, step) {
    this.#block[0] = block, this.#block[1] = this.#stream, this.#block[2] = step, this.#block[3] = Math.floor(step / 2 ** 32);
    philox(this.#block, this.#key0, this.#key1);
    return this.#block;
  }
}
