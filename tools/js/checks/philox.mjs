// The page's random numbers against recorded ones, bit for bit: node checks/philox.mjs CASES.json
import { readFile } from 'node:fs/promises';
import { NoiseStream } from '../../../src/OnnxDistill/Reporting/Web/philox.mjs';

let [numbers, wrong] = [0, 0];
for (const { seed, stream, step, first, kind, bound, expected } of JSON.parse(await readFile(process.argv[2], 'utf8'))) {
  const noise = new NoiseStream(BigInt(seed), stream);
  let found;
  if (kind === 'integers') {
    const integers = new BigInt64Array(expected.length);
    noise.fillIntegers(integers, BigInt(bound), step, first);
    found = [...integers].map(String);
  } else {
    const floats = new Float32Array(expected.length);
    noise[kind === 'normal' ? 'fillNormal' : 'fillUniform'](floats, step, first);
    found = [...new Int32Array(floats.buffer)].map(String);
  }
  numbers += expected.length;
  wrong += found.filter((bits, i) => bits !== expected[i]).length;
}
console.log(JSON.stringify({ numbers, wrong }));
