// A one-step generator that OnnxDistill exported, on ONNX Runtime in the browser.
import { NoiseStream, Streams } from './philox.mjs';

/** A generator file: latents in, samples out. */
export class Generator {
  #ort;
  #session;

  /**
   * @param {object} ort The module onnxruntime-web.
   * @param {Uint8Array} model The file.
   * @param {object} info What OnnxDistill wrote about it: latentShape, labels, and the names of inputs and output.
   */
  static async load(ort, model, info) {
    // More threads need headers that a plain file server does not send.
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
    const session = await ort.InferenceSession.create(model, { executionProviders: ['wasm'] });
    return new Generator(ort, session, info);
  }

  constructor(ort, session, info) {
    this.#ort = ort;
    this.#session = session;
    this.info = info;
    this.latentSize = info.latentShape.reduce((size, extent) => size * extent, 1);
  }

  /** The latents of samples first, first + 1, ...: those that 'onnxdistill sample' takes under that seed. */
  latents(seed, first, count) {
    const z = new Float32Array(count * this.latentSize);
    new NoiseStream(seed, Streams.latent).fillNormal(z, 0, first * this.latentSize);
    return z;
  }

  /** The class of a sample: the one that is asked for, or classes go round. */
  label(index, label = null) {
    return label ?? index % this.info.labels;
  }

  /**
   * Draws samples first, first + 1, ...
   * @returns {Promise<{ data: Float32Array | Uint8Array, shape: number[], milliseconds: number }>} Their numbers one after the other, and the extents of one sample.
   */
  async sample(seed, first, count, label = null) {
    const feeds = { [this.info.latent]: new this.#ort.Tensor('float32', this.latents(seed, first, count), [count, ...this.info.latentShape]) };
    if (this.info.labels > 0) {
      const labels = BigInt64Array.from({ length: count }, (_, i) => BigInt(this.label(first + i, label)));
      feeds[this.info.label] = new this.#ort.Tensor('int64', labels, [count]);
    }
    const start = performance.now();
    const output = (await this.#session.run(feeds))[this.info.output];
    return { data: output.data, shape: output.dims.slice(1), milliseconds: performance.now() - start };
  }
}

/** One image of samples as a browser draws it: float [C, H, W] in -1..1, or bytes [H, W, C]. What is not finite is magenta, so that it shows. */
export function imageOf({ data, shape }, index) {
  const isBytes = data instanceof Uint8Array;
  const [channels, height, width] = isBytes ? [shape[2], shape[0], shape[1]] : shape;
  const plane = height * width;
  const image = new ImageData(width, height);
  for (let i = 0; i < plane; i++) {
    const color = [0, 1, 2].map(c => {
      const channel = channels === 1 ? 0 : c;
      const at = index * channels * plane + (isBytes ? i * channels + channel : channel * plane + i);
      return isBytes ? data[at] : data[at] * 127.5 + 127.5;
    });
    image.data.set(color.every(Number.isFinite) ? [...color, 255] : [255, 0, 255, 255], 4 * i);
  }
  return image;
}
