// Prints the numbers of noise streams, for .NET to compare with its own: node checks/noise.mjs '{"seed":1,"stream":"a/b","step":2,"count":3,"bound":10}'
import { EpochOrder } from '../training/epochOrder.mjs';
import { NoiseStream } from '../training/noise.mjs';

const { seed, stream, step, count, bound } = JSON.parse(process.argv[2]);
const noise = new NoiseStream(seed, stream);
const normal = new Float32Array(count), uniform = new Float32Array(count), integers = new BigInt64Array(count);
noise.fillNormal(normal, step);
noise.fillUniform(uniform, step);
noise.fillIntegers(integers, bound, step);
const order = new EpochOrder(seed, stream, bound);
console.log(JSON.stringify({
  // Floats as their bits.
  normal: [...new Int32Array(normal.buffer)],
  uniform: [...new Int32Array(uniform.buffer)],
  integers: [...integers].map(Number),
  order: Array.from({ length: 3 * bound }, (_, i) => order.at(i)),
}));
