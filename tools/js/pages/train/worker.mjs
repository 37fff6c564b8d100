// The training itself, away from the page's thread. Messages have a kind; see the functions of `answers` for what comes in, and `post` for what goes out.
import * as ort from './ort/ort.wasm.bundle.min.mjs';
import { ArtifactError } from './training/arrays.mjs';
import { Trainer } from './training/trainer.mjs';

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL('./ort/ort-wasm-simd-threaded.wasm', import.meta.url).href };

/** @type {Trainer | null} */
let trainer = null;
let wanted = false;
let vector = 'ema';

const post = (kind, content = {}, transfer = []) => self.postMessage({ kind, ...content }, transfer);

const answers = {
  /** Reads the artifacts: `files` by name, or those beside the page. */
  async open({ files }) {
    await trainer?.release();
    trainer = null;
    trainer = await Trainer.create(ort, files ? name => fromFile(files, name) : fromServer, { executionProviders: ['wasm'] });
    const { method, batch, images, phases, generator } = trainer.manifest;
    post('opened', { method, batch, images, phases: phases.map(p => p.name), generator: generator ? { data: generator.data, labels: generator.labels } : null });
  },

  /** Makes `steps` iterations, with `count` samples every `every`. */
  async train({ steps, every, count }) {
    wanted = true;
    for (let i = 1; i <= steps && wanted; i++) {
      const begin = performance.now(), result = await trainer.step();
      post('step', { ...result, milliseconds: performance.now() - begin, imagesSeen: trainer.imagesSeen });
      if (count > 0 && trainer.iteration % every === 0 && i < steps)
        await answers.sample({ count });
      await breath();
    }
    // Wherever it ended, that is what the picture shows.
    if (count > 0)
      await answers.sample({ count });
    post('rested');
  },

  async sample({ count }) {
    const { shape, data } = await (await trainer.sampler()).sample(count, vector);
    post('samples', { iteration: trainer.iteration, shape, data });
  },

  async export() {
    const bytes = await (await trainer.sampler()).export(vector);
    post('exported', { bytes }, [bytes.buffer]);
  },
};

// One after the other, but a pause counts at once, and so does the choice of weights.
let last = Promise.resolve();
self.addEventListener('message', ({ data: { kind, ...content } }) => {
  vector = content.vector ?? vector;
  if (kind === 'pause')
    wanted = false;
  else
    last = last.then(() => answers[kind](content)).catch(error => post('failed', { message: error instanceof ArtifactError ? error.message : String(error?.stack ?? error) }));
});

async function fromServer(name) {
  const response = await fetch(new URL(`./artifacts/${encodeURIComponent(name)}`, import.meta.url));
  if (!response.ok)
    throw new ArtifactError(`The server has no artifacts/${name} beside the page (${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}

async function fromFile(files, name) {
  const file = files.get(name);
  if (!file)
    throw new ArtifactError(`The folder has no '${name}'. Choose the folder that 'onnxdistill artifacts' wrote, as a whole.`);
  return new Uint8Array(await file.arrayBuffer());
}

/** Lets messages in. A timer would wait for milliseconds. */
function breath() {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(null);
  });
}

post('ready');
