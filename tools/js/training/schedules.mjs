// The scalars of the optimizer graphs: the formulas of the manifest's "scalars".

/**
 * @param {import('./manifest.mjs').Optimizer} optimizer
 * @param {number} imagesSeen
 * @param {number} images Length of the run.
 */
export function learningRate(optimizer, imagesSeen, images) {
  const warmUp = optimizer.warmUpImages > 0 ? Math.min(1, imagesSeen / optimizer.warmUpImages) : 1;
  const cosine = (1 + Math.cos(Math.PI * Math.min(1, imagesSeen / images))) / 2;
  return optimizer.learningRate * warmUp * (optimizer.finalFraction + (1 - optimizer.finalFraction) * cosine);
}

/**
 * @param {string} name
 * @param {import('./manifest.mjs').Manifest} manifest
 * @param {import('./manifest.mjs').Optimizer} optimizer
 * @param {{ step: number, imagesSeen: number, lossScale: number }} state The update's number, from 1, and what stands when it is made.
 */
export function optimizerScalar(name, manifest, optimizer, { step, imagesSeen, lossScale }) {
  const rate = learningRate(optimizer, imagesSeen, manifest.images);
  switch (name) {
    case 'step_size': return rate / (1 - optimizer.beta1 ** step);
    case 'second_scale': return 1 / Math.sqrt(1 - optimizer.beta2 ** step);
    case 'decay': return rate * optimizer.weightDecay;
    case 'gradient_scale': return 1 / lossScale;
    case 'ema_share': {
      const { halfLifeImages, rampUp } = manifest.ema;
      const halfLife = rampUp > 0 ? Math.min(halfLifeImages, imagesSeen * rampUp) : halfLifeImages;
      return 1 - 0.5 ** (manifest.batch / Math.max(halfLife, 1e-8));
    }
    default: throw new Error(`the optimizer graph wants a scalar '${name}', which these scripts do not know`);
  }
}

/** @param {import('./manifest.mjs').Tensor['ramp']} ramp */
export function rampAt({ from, to, startImages, endImages }, imagesSeen) {
  if (imagesSeen >= endImages)
    return to;
  return imagesSeen <= startImages ? from : from + (to - from) * (imagesSeen - startImages) / (endImages - startImages);
}

/** The factor on a phase's loss under fp16: halved after gradients that are not finite, doubled after enough finite ones in a row. */
export class LossScale {
  #growthSteps;
  #goodSteps = 0;

  /** @param {{ initial: number, growthSteps: number }} options */
  constructor({ initial, growthSteps }) {
    this.value = initial;
    this.#growthSteps = growthSteps;
  }

  /** @param {boolean} finite Whether all gradients of the update were. */
  note(finite) {
    this.#goodSteps = finite ? this.#goodSteps + 1 : 0;
    if (!finite)
      this.value = Math.max(1, this.value / 2);
    else if (this.#goodSteps >= this.#growthSteps)
      this.value = Math.min(1e30, this.value * 2), this.#goodSteps = 0;
  }
}
