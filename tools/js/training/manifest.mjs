// manifest.json: what src/OnnxDistill/Artifacts/Manifest.cs describes.
import { ArtifactError } from './arrays.mjs';

/**
 * An input or output of a graph.
 * @typedef {object} Tensor
 * @property {string} name
 * @property {'float32' | 'int64'} type
 * @property {number[]} shape Extents; -1 where any number of samples fits.
 * @property {string} role
 * @property {'normal' | 'uniform'} [distribution] Of noise.
 * @property {{ from: number, to: number, startImages: number, endImages: number }} [ramp]
 * @property {string} [array] Of pairs: the array of their file.
 * @property {number[]} [initial] Of carried vectors.
 * @property {number} [bound] Of labels: how many there are.
 * @property {string} [network] Of parameters and gradients: whose.
 * @property {number} [offset] Of parameters and gradients: the first number within the network's flat vector.
 * @property {string} [replacedBy] Of state and carried vectors: the output that is the next run's input.
 */

/**
 * @typedef {{ name: string, file: string, updates: number, trains: string[], inputs: Tensor[], outputs: Tensor[], fromImages: number }} Phase
 * @typedef {Record<'learningRate' | 'beta1' | 'beta2' | 'weightDecay' | 'warmUpImages' | 'finalFraction', number> & { nonFinite: 'skip' | 'zero' }} Optimizer
 * @typedef {{ name: string, shape: number[], offset: number }} Parameter
 * @typedef {{ role: string, length: number, parameters: Parameter[], optimizerFile: string, optimizerInputs: Tensor[], optimizerOutputs: Tensor[],
 *   initial: Record<string, string>, optimizer: Optimizer }} Network
 * @typedef {{ file: string, data: 'image' | 'points', labels: number, inputs: Tensor[], outputs: Tensor[] }} Generator
 * @typedef {{ format: number, method: string, batch: number, seed: number, images: number, ema: { halfLifeImages: number, rampUp: number },
 *   lossScale?: { initial: number, growthSteps: number }, pairs?: { file: string, count: number }, phases: Phase[], networks: Network[], generator?: Generator }} Manifest
 */

/**
 * Reads the manifest and refuses what these scripts cannot train.
 * @param {Uint8Array} bytes
 * @returns {Manifest}
 */
export function readManifest(bytes) {
  let manifest;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new ArtifactError(`manifest.json is no JSON text: ${error.message}. Write the artifacts anew with 'onnxdistill artifacts'.`);
  }
  if (manifest?.format !== 1 || !Array.isArray(manifest.phases) || !Array.isArray(manifest.networks))
    throw new ArtifactError(`manifest.json has the format ${JSON.stringify(manifest?.format)}; expected 1, as 'onnxdistill artifacts' writes it.`);
  if (!Number.isSafeInteger(manifest.seed))
    throw new ArtifactError(`manifest.json has the seed ${manifest.seed}; expected an integer below 2^53. Artifacts of older versions have none: write them anew.`);
  const images = manifest.phases.flatMap(phase => phase.inputs.filter(i => i.role === 'image' || i.role === 'image_label').map(i => `'${i.name}' of the phase '${phase.name}'`));
  if (images.length > 0) {
    throw new ArtifactError(`The method '${manifest.method}' learns from real images, which the artifacts do not hold: ${images.join(', ')}. `
      + 'Train it with \'onnxdistill distill\', or take a method without images (diff-instruct, sid, sim, vsd, ...).');
  }
  return manifest;
}
