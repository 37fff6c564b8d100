import { ArtifactError } from './arrays.mjs';
import { EpochOrder } from './epochOrder.mjs';
import { NoiseStream } from './noise.mjs';
import { LossScale, rampAt } from './schedules.mjs';

/** One training graph: draws what it is fed, runs it, and leaves gradients with their networks. */
export class PhaseRunner {
  #manifest; #ort; #session; #networks; #streams = {}; #carried = {}; #pairs; #order;

  /**
   * @param {import('./manifest.mjs').Manifest} manifest
   * @param {import('./manifest.mjs').Phase} phase
   * @param {import('./trainer.mjs').Environment} environment
   * @param {Record<string, import('./network.mjs').NetworkState>} networks By role.
   * @param {Record<string, import('./arrays.mjs').NumpyArray>} pairs By name.
   */
  static async load(manifest, phase, environment, networks, pairs) {
    const runner = new PhaseRunner();
    runner.phase = phase;
    runner.#manifest = manifest;
    runner.#ort = environment.ort;
    runner.#networks = networks;
    runner.#pairs = pairs;
    for (const input of phase.inputs) {
      if (input.role === 'noise' || input.role === 'label')
        runner.#streams[input.name] = new NoiseStream(manifest.seed, `${phase.name}/${input.name}`);
      else if (input.role === 'carried')
        runner.#carried[input.name] = Float32Array.from(input.initial);
      else if (input.role === 'pair')
        runner.#order ??= new EpochOrder(manifest.seed, `${phase.name}/pairs/order`, manifest.pairs.count);
      else if (input.role === 'scalar')
        runner.lossScale ??= new LossScale(manifest.lossScale);
    }
    runner.#session = await environment.open(phase.file);
    return runner;
  }

  /**
   * Runs update number `update` of this phase, counted over the whole run from 0.
   * @param {number} update
   * @param {number} imagesSeen
   * @returns {Promise<number>} The loss.
   */
  async run(update, imagesSeen) {
    const feeds = {};
    for (const input of this.phase.inputs)
      feeds[input.name] = new this.#ort.Tensor(input.type, this.#numbers(input, update, imagesSeen), input.shape);
    const outputs = await this.#session.run(feeds);
    const loss = outputs[this.phase.outputs.find(o => o.role === 'loss').name].data[0];
    for (const { name, role, network, offset } of this.phase.outputs) {
      if (role === 'gradient')
        this.#networks[network].gradient.set(outputs[name].data, offset);
    }
    // What a step that is not finite would carry on is no better than its gradient.
    for (const { name, role, replacedBy } of this.phase.inputs) {
      if (role === 'carried' && Number.isFinite(loss))
        this.#carried[name] = outputs[replacedBy].data;
    }
    return loss;
  }

  #numbers(input, update, imagesSeen) {
    const count = input.shape.reduce((a, b) => a * b, 1);
    switch (input.role) {
      case 'parameter': return this.#networks[input.network].view('weights', input.offset, input.shape);
      case 'carried': return this.#carried[input.name];
      case 'ramp': return Float32Array.of(rampAt(input.ramp, imagesSeen));
      case 'scalar': return Float32Array.of(this.lossScale.value);
      case 'pair': return this.#rows(this.#pairs[input.array], update);
      case 'label': {
        const labels = new BigInt64Array(count);
        this.#streams[input.name].fillIntegers(labels, input.bound, update);
        return labels;
      }
      case 'noise': {
        const noise = new Float32Array(count), stream = this.#streams[input.name];
        if (input.distribution === 'uniform')
          stream.fillUniform(noise, update);
        else
          stream.fillNormal(noise, update);
        return noise;
      }
      default: throw new ArtifactError(`The phase '${this.phase.name}' has an input '${input.name}' of the role '${input.role}', which these scripts do not know.`);
    }
  }

  /** The update's rows of a pairs' array. */
  #rows(array, update) {
    const { batch } = this.#manifest, size = array.data.length / array.shape[0];
    const rows = new array.data.constructor(batch * size);
    for (let i = 0; i < batch; i++) {
      const row = this.#order.at(update * batch + i);
      rows.set(array.data.subarray(row * size, (row + 1) * size), i * size);
    }
    return rows;
  }

  release = () => this.#session.release();
}
