import { ArtifactError, readNpz } from './arrays.mjs';
import { readManifest } from './manifest.mjs';
import { NetworkState } from './network.mjs';
import { PhaseRunner } from './phase.mjs';
import { Sampler } from './sampler.mjs';

/**
 * What training needs of its surroundings.
 * @typedef {object} Environment
 * @property {typeof import('onnxruntime-common')} ort onnxruntime-node or onnxruntime-web.
 * @property {(name: string) => Promise<Uint8Array>} load The content of an artifact's file.
 * @property {(name: string) => Promise<import('onnxruntime-common').InferenceSession>} open A session of a graph's file.
 */

/**
 * What an iteration did.
 * @typedef {object} StepResult
 * @property {number} iteration From 0.
 * @property {Record<string, number>} losses Mean loss of each phase's updates.
 * @property {Record<string, number>} gradientNorms Norm of each network's last gradient before clipping.
 * @property {number} skipped Updates left out because something was not finite.
 */

/** Trains with the files of an artifacts folder, as src/OnnxDistill/Training/TrainingEngine.cs does: the same noise, the same order, the same rules. */
export class Trainer {
  #environment; #phases = []; #networks = {}; #sampler;

  /** Iterations made so far. */
  iteration = 0;

  /**
   * Reads the files and makes the sessions.
   * @param {Environment['ort']} ort
   * @param {Environment['load']} load
   * @param {import('onnxruntime-common').InferenceSession.SessionOptions} [options] For every session.
   */
  static async create(ort, load, options = {}) {
    const trainer = new Trainer();
    const open = async name => {
      const bytes = await load(name);
      try {
        return await ort.InferenceSession.create(bytes, options);
      } catch (error) {
        throw new ArtifactError(`ONNX Runtime makes no session of '${name}': ${error.message ?? error}`);
      }
    };
    trainer.#environment = { ort, load, open };
    trainer.manifest = readManifest(await load('manifest.json'));
    const { manifest } = trainer;
    for (const network of manifest.networks)
      trainer.#networks[network.role] = await NetworkState.load(manifest, network, trainer.#environment);
    const pairs = manifest.pairs ? await readNpz(await load(manifest.pairs.file), `'${manifest.pairs.file}'`) : {};
    for (const phase of manifest.phases)
      trainer.#phases.push(await PhaseRunner.load(manifest, phase, trainer.#environment, trainer.#networks, pairs));
    return trainer;
  }

  /** The networks by role. */
  get networks() {
    return this.#networks;
  }

  /** Samples that the student's step has seen. */
  get imagesSeen() {
    return this.iteration * this.manifest.batch;
  }

  /** One iteration: every phase with its optimizers, in order. @returns {Promise<StepResult>} */
  async step() {
    const { imagesSeen } = this, losses = {}, gradientNorms = {};
    let skipped = 0;
    for (const runner of this.#phases) {
      const { phase } = runner;
      if (imagesSeen < phase.fromImages)
        continue;
      for (let update = 0; update < phase.updates; update++) {
        const loss = await runner.run(this.iteration * phase.updates + update, imagesSeen), results = [];
        losses[phase.name] = (losses[phase.name] ?? 0) + loss / phase.updates;
        for (const role of phase.trains) {
          const network = this.#networks[role];
          const result = network.wants(loss) ? await network.update(imagesSeen, runner.lossScale?.value ?? 1) : { norm: NaN, made: false, replaced: 0 };
          gradientNorms[role] = result.norm;
          results.push(result);
        }
        skipped += results.filter(r => !r.made).length;
        if (Number.isFinite(loss))
          runner.lossScale?.note(results.every(r => Number.isFinite(r.norm) && r.replaced === 0));
      }
    }
    return { iteration: this.iteration++, losses, gradientNorms, skipped };
  }

  /** What draws samples with the student's current numbers. */
  async sampler() {
    if (!this.manifest.generator)
      throw new ArtifactError(`The method '${this.manifest.method}' makes no generator, so there are no one-step samples to look at.`);
    return this.#sampler ??= await Sampler.load(this.manifest, this.#environment, this.#networks.student);
  }

  /** Frees the sessions. */
  async release() {
    for (const owner of [...this.#phases, ...Object.values(this.#networks), ...this.#sampler ? [this.#sampler] : []])
      await owner.release();
  }
}
