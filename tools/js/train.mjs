// Trains with the files of 'onnxdistill artifacts' on onnxruntime-node: no training build, no .NET.
import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ArtifactError, writeNpz } from './training/arrays.mjs';
import { Trainer } from './training/trainer.mjs';

const help = `node tools/js/train.mjs FOLDER [options]

FOLDER is what 'onnxdistill artifacts RECIPE -o FOLDER' wrote.

  --steps N        Iterations; default 20. The manifest's images / batch is the whole run.
  --provider NAME  cpu (default) or webgpu. webgpu takes a Vulkan device on Linux, Direct3D 12 on Windows, Metal on macOS.
  --threads N      Threads of the CPU; default: ONNX Runtime's choice.
  --save FILE      Write the student's average: .onnx, a generator that is ready to run, or .npz, the parameters by name. Replaces nothing.
  --weights        With --save: the weights themselves in place of their average.
  --verbose        ONNX Runtime's log, on the standard error stream: which node runs where, among other things.
  --json           Print one JSON object at the end in place of a line a step.
  --help           This text.

Exit codes: 0 done, 1 unexpected, 2 wrong usage, 3 bad files, 4 the provider cannot be had, 6 the losses are no longer finite.`;

const exits = { unexpected: 1, usage: 2, input: 3, unsupported: 4, diverged: 6 };

/** A message and an exit code in place of a stack trace. */
class Stop extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const known = error instanceof Stop || error instanceof ArtifactError;
  console.error(known ? error.message : error);
  process.exitCode = error instanceof Stop ? error.code : error instanceof ArtifactError ? exits.input : exits.unexpected;
}

async function main() {
  const { folder, values } = options();
  if (values.help) {
    console.log(help);
    return 0;
  }
  const trainer = await start(folder, values), { manifest } = trainer;
  const steps = [], seconds = [];
  for (let i = 0; i < values.steps; i++) {
    const begin = performance.now(), step = await trainer.step();
    seconds.push((performance.now() - begin) / 1000);
    steps.push(step);
    if (!values.json)
      console.log(line(step, seconds.at(-1), manifest.batch));
  }
  if (values.save)
    await save(trainer, values);
  const median = [...seconds].sort((a, b) => a - b)[seconds.length >> 1];
  const diverged = steps.length > 0 && Object.values(steps.at(-1).losses).some(loss => !Number.isFinite(loss));
  if (values.json) {
    console.log(JSON.stringify({
      method: manifest.method, provider: values.provider, batch: manifest.batch, imagesSeen: trainer.imagesSeen, secondsPerStep: median,
      imagesPerSecond: manifest.batch / median, steps, saved: values.save ?? null,
    }));
  } else if (median)
    console.log(`${steps.length} iterations of ${manifest.method}, batch ${manifest.batch}, on ${values.provider}: median ${(median * 1000).toFixed(1)} ms, ${(manifest.batch / median).toFixed(0)} samples/s`);
  await trainer.release();
  if (diverged)
    throw new Stop(exits.diverged, 'A loss of the last iteration is not finite: the run has diverged. Make the artifacts anew with smaller learning rates, or with another seed.');
  return 0;
}

function options() {
  let parsed;
  const text = { type: 'string' }, flag = { type: 'boolean' };
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: { steps: { ...text, default: '20' }, provider: { ...text, default: 'cpu' }, threads: { ...text, default: '0' }, save: text, weights: flag, verbose: flag, json: flag, help: flag },
    });
  } catch (error) {
    throw new Stop(exits.usage, `${error.message}\nSee --help.`);
  }
  const { values, positionals } = parsed;
  if (values.help)
    return { values };
  const whole = name => {
    if (!/^\d{1,9}$/.test(values[name]))
      throw new Stop(exits.usage, `--${name}: found '${values[name]}', expected a whole number.`);
    return Number(values[name]);
  };
  if (positionals.length !== 1)
    throw new Stop(exits.usage, `Found ${positionals.length} folders, expected one: what 'onnxdistill artifacts RECIPE -o FOLDER' wrote. See --help.`);
  if (!['cpu', 'webgpu'].includes(values.provider))
    throw new Stop(exits.usage, `--provider: found '${values.provider}', expected cpu or webgpu.`);
  return { folder: positionals[0], values: { ...values, steps: whole('steps'), threads: whole('threads') } };
}

async function start(folder, { provider, threads, save, verbose }) {
  if (!existsSync(join(folder, 'manifest.json'))) {
    throw new Stop(exits.input, existsSync(folder) && !statSync(folder).isDirectory() ? `'${folder}' is a file; expected the folder that 'onnxdistill artifacts' wrote.`
      : `There is no '${join(folder, 'manifest.json')}'. Make the folder with 'onnxdistill artifacts RECIPE -o ${folder}'.`);
  }
  // Before the work, not after it.
  if (save)
    requirePlace(save);
  const ort = await runtime();
  if (!ort.listSupportedBackends().some(backend => backend.name === provider))
    throw new Stop(exits.unsupported, `onnxruntime-node has no provider '${provider}' on ${process.platform} ${process.arch}; it has ${ort.listSupportedBackends().map(b => b.name).join(', ')}.`);
  if (verbose)
    ort.env.logLevel = 'verbose';
  try {
    return await Trainer.create(ort, name => read(folder, name), {
      executionProviders: [provider], intraOpNumThreads: threads,
      // Warnings are of nodes that run elsewhere on purpose; they would stand between the lines of the steps.
      logSeverityLevel: verbose ? 0 : 3,
      // Several sessions take turns here, and the threads of each would wait in a loop while another works.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    if (provider === 'webgpu' && /adapter/i.test(error.message)) {
      throw new Stop(exits.unsupported, `There is no device for WebGPU: ${error.message}\nOn Linux it takes a Vulkan driver that Dawn accepts ('vulkaninfo --summary' lists drivers; libvulkan1 has to be there). `
        + 'Without a GPU, Chromium\'s software device serves for trying: VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json. Or leave --provider out.');
    }
    throw error;
  }
}

async function runtime() {
  try {
    return (await import('onnxruntime-node')).default;
  } catch (error) {
    throw new Stop(exits.unsupported, `onnxruntime-node cannot be loaded: ${error.message}\nRun 'npm ci' in tools/js.`);
  }
}

async function read(folder, name) {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    throw new ArtifactError(`The manifest names '${name}', which cannot be read: ${error.message}. Copy the whole folder.`);
  }
}

function requirePlace(file) {
  if (!/\.(onnx|npz)$/.test(file))
    throw new Stop(exits.usage, `--save: found '${file}', expected a name that ends in .onnx or .npz.`);
  if (existsSync(file))
    throw new Stop(exits.usage, `--save: there is a file '${file}' already. Name another; nothing was overwritten.`);
  if (!existsSync(dirname(resolve(file))))
    throw new Stop(exits.usage, `--save: there is no folder '${dirname(resolve(file))}'. Make it first.`);
}

async function save(trainer, { save: file, weights }) {
  const vector = weights ? 'weights' : 'ema';
  const bytes = file.endsWith('.npz') ? writeNpz(trainer.networks.student.parameters(vector)) : await (await trainer.sampler()).export(vector);
  await writeFile(file, bytes, { flag: 'wx' });
}

function line({ iteration, losses, skipped }, seconds, batch) {
  const named = Object.entries(losses).map(([phase, loss]) => `${phase} ${loss.toPrecision(6)}`).join(', ');
  return `${String(iteration + 1).padStart(5)}: ${named}${skipped ? `, ${skipped} updates left out` : ''} (${(seconds * 1000).toFixed(1)} ms, ${(batch / seconds).toFixed(0)}/s)`;
}
