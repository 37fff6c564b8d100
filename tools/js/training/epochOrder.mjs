// The order in which pairs are gone through, that of src/OnnxDistill/Data/Images/EpochOrder.cs: a Feistel network of four rounds on the next power of four,
// walked until it falls below the count (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
import { NoiseStream } from './noise.mjs';

/** Every epoch a new shuffle of so many items; the item at a position is a function of seed and position. */
export class EpochOrder {
  #noise; #count; #halfBits;
  #word = new BigInt64Array(1);

  /**
   * @param {number} seed
   * @param {string} stream
   * @param {number} count
   */
  constructor(seed, stream, count) {
    this.#noise = new NoiseStream(seed, stream);
    this.#count = count;
    this.#halfBits = Math.max(1, (Math.floor(Math.log2(count)) >> 1) + 1);
  }

  /** The item at a position, counted over all epochs from 0. */
  at(position) {
    const epoch = Math.floor(position / this.#count);
    let item = position % this.#count;
    do
      item = this.#permute(item, epoch);
    while (item >= this.#count);
    return item;
  }

  #permute(item, epoch) {
    const size = 2 ** this.#halfBits;
    let left = Math.floor(item / size), right = item % size;
    for (let round = 0; round < 4; round++) {
      this.#noise.fillIntegers(this.#word, size, epoch, round * size + right);
      [left, right] = [right, left ^ Number(this.#word[0])];
    }
    return left * size + right;
  }
}
