import { withWeights } from './onnx.mjs';
import { NoiseStream } from './noise.mjs';

/** Draws samples with the generator's graph and the student's current numbers. */
export class Sampler {
  #generator; #environment; #student; #session; #seed;

  /**
   * @param {import('./manifest.mjs').Manifest} manifest
   * @param {import('./trainer.mjs').Environment} environment
   * @param {import('./network.mjs').NetworkState} student
   */
  static async load(manifest, environment, student) {
    const sampler = new Sampler();
    sampler.#generator = manifest.generator;
    sampler.#environment = environment;
    sampler.#student = student;
    sampler.#seed = manifest.seed;
    sampler.#session = await environment.open(manifest.generator.file);
    return sampler;
  }

  /**
   * The same latents each time, so that pictures of different moments can be compared. Labels go round: 0, 1, 2, ...
   * @param {number} count
   * @param {'ema' | 'weights'} [vector] The average of the weights, which is what an exported generator has, or the weights themselves.
   * @returns {Promise<{ shape: number[], data: Float32Array }>}
   */
  async sample(count, vector = 'ema') {
    const { ort } = this.#environment, feeds = {};
    for (const { name, type, role, shape, offset, bound } of this.#generator.inputs) {
      const dims = shape.map(d => d < 0 ? count : d);
      const numbers = role === 'parameter' ? this.#student.view(vector, offset, dims)
        : role === 'label' ? BigInt64Array.from({ length: count }, (_, i) => BigInt(i % bound))
          : this.#latents(dims);
      feeds[name] = new ort.Tensor(type, numbers, dims);
    }
    const [output] = this.#generator.outputs, samples = (await this.#session.run(feeds))[output.name];
    return { shape: [...samples.dims], data: samples.data };
  }

  /** The generator with the student's numbers in it: a file that any ONNX Runtime draws from. */
  async export(vector = 'ema') {
    const { network } = this.#student, arrays = this.#student.parameters(vector);
    return withWeights(await this.#environment.load(this.#generator.file), Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${network.role}/${name}`, array])));
  }

  #latents(dims) {
    const numbers = new Float32Array(dims.reduce((a, b) => a * b, 1));
    new NoiseStream(this.#seed, 'samples/z').fillNormal(numbers, 0);
    return numbers;
  }

  release = () => this.#session.release();
}
