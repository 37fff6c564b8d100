// Trains with ONNX Runtime's own training session (onnxruntime-web 1.19.2, the last one that has it) from the files of a folder: train step, optimizer step, reset.
//   node checks/ort-training.mjs FOLDER FEEDS.json
// FEEDS.json: { "steps": [feeds, ...], "eval": feeds, "files"?: { "training", "eval", "optimizer", "checkpoint" } }, where feeds are [{ name, type, dims, data (base64) }, ...].
// Prints one JSON object: names, losses, the evaluation's loss before and after, and the trained weights (base64 of float32).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

// Optimizing the 12 MB of WebAssembly takes longer than these few steps, and Node.js would wait for it at the end: 0.8 s of processor time instead of 6.
setFlagsFromString('--liftoff-only');

// In Node.js the package exports no training build; its file has to be imported by path.
const ort = await import(fileURLToPath(new URL('../node_modules/onnxruntime-web-training/dist/ort.training.wasm.min.mjs', import.meta.url)));
ort.env.wasm.numThreads = 1;

const [folder, feedsFile] = process.argv.slice(2);
const plan = JSON.parse(await readFile(feedsFile, 'utf8'));
const files = { training: 'training_model.onnx', eval: 'eval_model.onnx', optimizer: 'optimizer_model.onnx', checkpoint: 'checkpoint', ...plan.files };
const read = async name => new Uint8Array(await readFile(join(folder, name)));

const session = await ort.TrainingSession.create({
  checkpointState: await read(files.checkpoint), trainModel: await read(files.training), evalModel: await read(files.eval), optimizerModel: await read(files.optimizer),
});
const evaluate = async () => loss(await session.runEvalStep(feeds(plan.eval)));

const result = {
  trainingInputs: session.trainingInputNames, trainingOutputs: session.trainingOutputNames, evalInputs: session.evalInputNames,
  evalBefore: await evaluate(), losses: [],
};
for (const step of plan.steps) {
  result.losses.push(loss(await session.runTrainStep(feeds(step))));
  await session.runOptimizerStep();
  await session.lazyResetGrad();
}
result.evalAfter = await evaluate();
const weights = (await session.getContiguousParameters(true)).data;
result.weights = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString('base64');
result.allParameters = await session.getParametersSize(false);
// Not released: in 1.19.2 that reads memory that it has freed, and fails now and then ("memory access out of bounds"). The process ends here.
console.log(JSON.stringify(result));

function loss(outputs) {
  const [value] = Object.values(outputs);
  return value.data[0];
}

// The session takes them by place, in the order of the object's keys.
function feeds(list) {
  return Object.fromEntries(list.map(({ name, type, dims, data }) => [name, tensor(type, dims, Buffer.from(data, 'base64'))]));
}

function tensor(type, dims, bytes) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const arrays = { float32: Float32Array, int64: BigInt64Array, int32: Int32Array };
  return new ort.Tensor(type, new arrays[type](buffer), dims);
}
