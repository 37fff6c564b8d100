// Assembles the training page as a folder that any static server shows: node build.mjs OUT [ARTIFACTS]
import { existsSync, readdirSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArtifactError } from './training/arrays.mjs';
import { readManifest } from './training/manifest.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const runtimeFiles = ['ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm'];

const [out, artifacts, ...rest] = process.argv.slice(2);
try {
  if (!out || out.startsWith('-') || rest.length > 0)
    throw new ArtifactError('node build.mjs OUT [ARTIFACTS]\n\nWrites the training page to the new folder OUT, with the artifacts folder in it; without one, visitors choose their own.');
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new ArtifactError(`The folder '${out}' is not empty. Name a new one; nothing was overwritten.`);
  console.log(JSON.stringify(await build(out, artifacts)));
} catch (error) {
  console.error(error instanceof ArtifactError ? error.message : error);
  process.exitCode = error instanceof ArtifactError ? 3 : 1;
}

async function build(out, artifacts) {
  // Everything is looked at before the first file is written.
  const named = artifacts ? await artifactFiles(artifacts) : [], runtime = runtimeFolder();
  await cp(join(here, 'pages', 'train'), out, { recursive: true });
  await cp(join(here, 'training'), join(out, 'training'), { recursive: true });
  await copyFile(join(here, '../../src/OnnxDistill/Reporting/Web/philox.mjs'), join(out, 'training', 'noise.mjs'));
  await mkdir(join(out, 'ort'));
  for (const file of runtimeFiles)
    await copyFile(join(runtime, file), join(out, 'ort', file));
  if (artifacts) {
    await mkdir(join(out, 'artifacts'));
    for (const file of named)
      await copyFile(join(artifacts, file), join(out, 'artifacts', file));
    const index = join(out, 'index.html');
    await writeFile(index, (await readFile(index, 'utf8')).replace('data-artifacts="none"', 'data-artifacts="served"'));
  }
  return { folder: out, artifacts: named.length };
}

/** The manifest's files, all of them there. */
async function artifactFiles(folder) {
  if (!existsSync(join(folder, 'manifest.json')))
    throw new ArtifactError(`There is no '${join(folder, 'manifest.json')}'. Make the folder with 'onnxdistill artifacts RECIPE -o ${folder}'.`);
  const { phases, networks, pairs, generator } = readManifest(await readFile(join(folder, 'manifest.json')));
  const files = ['manifest.json', ...phases.map(p => p.file), ...networks.flatMap(n => [n.optimizerFile, ...Object.values(n.initial)]), ...pairs ? [pairs.file] : [], ...generator ? [generator.file] : []];
  const missing = files.filter(file => !existsSync(join(folder, file)));
  if (missing.length > 0)
    throw new ArtifactError(`'${folder}' lacks ${missing.join(', ')}, which its manifest names. Copy the whole folder.`);
  return files;
}

function runtimeFolder() {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  } catch {
    throw new ArtifactError('The package onnxruntime-web is not there. Run \'npm ci\' in tools/js.');
  }
}
