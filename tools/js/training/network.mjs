import { ArtifactError, readNpy } from './arrays.mjs';
import { optimizerScalar } from './schedules.mjs';

/** A trained network: its flat vectors, its gradient, its optimizer. Parameters are views of the vectors; nothing is copied to read them. */
export class NetworkState {
  #manifest; #ort; #session;

  /**
   * @param {import('./manifest.mjs').Manifest} manifest
   * @param {import('./manifest.mjs').Network} network
   * @param {import('./trainer.mjs').Environment} environment
   */
  static async load(manifest, network, environment) {
    const state = new NetworkState();
    state.#manifest = manifest;
    state.#ort = environment.ort;
    state.network = network;
    /** How many updates were made. */
    state.step = 0;
    state.gradient = new Float32Array(network.length);
    /** @type {Record<string, Float32Array>} */
    state.vectors = {};
    for (const { name } of network.optimizerInputs.filter(i => i.role === 'state')) {
      const file = network.initial[name];
      state.vectors[name] = file ? readNpy(await environment.load(file), `'${file}'`).data : new Float32Array(network.length);
      if (state.vectors[name].length !== network.length)
        throw new ArtifactError(`'${file}' holds ${state.vectors[name].length} numbers, the network '${network.role}' of the manifest has ${network.length}. Copy all files of one folder.`);
    }
    state.#session = await environment.open(network.optimizerFile);
    return state;
  }

  /**
   * A parameter's numbers.
   * @param {string} vector weights or ema.
   * @param {number} offset
   * @param {number[]} shape
   */
  view(vector, offset, shape) {
    return this.vectors[vector].subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
  }

  /** The parameters by name, as arrays. */
  parameters(vector) {
    return Object.fromEntries(this.network.parameters.map(({ name, shape, offset }) => [name, { shape, data: this.view(vector, offset, shape) }]));
  }

  /**
   * Makes one update, unless the gradient is not finite: then nothing changes.
   * @param {number} imagesSeen
   * @param {number} lossScale
   * @returns {Promise<{ norm: number, made: boolean, replaced: number }>}
   */
  async update(imagesSeen, lossScale) {
    const { network } = this, feeds = {};
    for (const { name, role, type, shape } of network.optimizerInputs) {
      const data = role === 'state' ? this.vectors[name] : role === 'gradient' ? this.gradient
        : Float32Array.of(optimizerScalar(name, this.#manifest, network.optimizer, { step: this.step + 1, imagesSeen, lossScale }));
      feeds[name] = new this.#ort.Tensor(type, data, shape);
    }
    const outputs = await this.#session.run(feeds);
    const norm = outputs.gradient_norm.data[0], made = Number.isFinite(norm);
    if (made) {
      for (const { name, replacedBy } of network.optimizerInputs.filter(i => i.role === 'state'))
        this.vectors[name] = outputs[replacedBy].data;
      this.step++;
    }
    return { norm, made, replaced: outputs.replaced?.data[0] ?? 0 };
  }

  /** Whether an update is to be made after that loss: one that is not finite spoils it, unless the optimizer looks at gradients only. */
  wants(loss) {
    return Number.isFinite(loss) || this.network.optimizer.nonFinite === 'zero';
  }

  release = () => this.#session.release();
}
