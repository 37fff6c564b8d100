// As much of ONNX's protobuf format as it takes to turn a graph's inputs into stored numbers. A message is a row of fields, each with its number and content.
import { ArtifactError, concat } from './arrays.mjs';

const modelGraph = 7, graphInitializer = 5, graphInput = 11, valueName = 1;
const tensorDims = 1, tensorType = 2, tensorName = 8, tensorRaw = 9, float32 = 1;

/**
 * The model with those inputs replaced by initializers of the same names.
 * @param {Uint8Array} model
 * @param {Record<string, import('./arrays.mjs').NumpyArray>} weights float32 arrays; names that are no inputs are left out.
 */
export function withWeights(model, weights) {
  return concat(fields(model).map(field => field.number === modelGraph ? message(modelGraph, graphWithWeights(field.content, weights)) : field.bytes));
}

function graphWithWeights(graph, weights) {
  const kept = [], found = [];
  for (const field of fields(graph)) {
    const name = field.number === graphInput ? text(fields(field.content).find(f => f.number === valueName)?.content) : null;
    if (name !== null && Object.hasOwn(weights, name))
      found.push(message(graphInitializer, tensor(name, weights[name])));
    else
      kept.push(field.bytes);
  }
  if (found.length === 0)
    throw new ArtifactError(`The generator's graph has none of the inputs ${Object.keys(weights).join(', ')}.`);
  return concat([...kept, ...found]);
}

function tensor(name, { shape, data }) {
  return concat([
    ...shape.map(d => concat([varint(tensorDims << 3), varint(d)])),
    concat([varint(tensorType << 3), varint(float32)]),
    message(tensorName, new TextEncoder().encode(name)),
    message(tensorRaw, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

const message = (number, content) => concat([varint(number << 3 | 2), varint(content.length), content]);
const text = bytes => new TextDecoder().decode(bytes);

/** @param {number} value Not negative. */
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128))
    bytes.push(value % 128 + 128);
  return Uint8Array.from([...bytes, value]);
}

/**
 * The fields of a message, in order: number, the whole field's bytes, and, where it is a row of bytes, its content.
 * @param {Uint8Array} bytes
 */
function fields(bytes) {
  const found = [];
  let at = 0;
  const next = () => {
    let value = 0, factor = 1;
    for (; bytes[at] > 127; factor *= 128)
      value += (bytes[at++] - 128) * factor;
    return value + bytes[at++] * factor;
  };
  while (at < bytes.length) {
    const start = at, key = next(), wire = key % 8;
    let content = null;
    if (wire === 2) {
      const length = next();
      content = bytes.subarray(at, at + length);
      at += length;
    } else if (wire === 0)
      next();
    else
      at += wire === 1 ? 8 : 4;
    if (at > bytes.length || !Number.isFinite(key))
      throw new ArtifactError('The generator\'s graph is no whole ONNX file. Write the artifacts anew.');
    found.push({ number: Math.floor(key / 8), bytes: bytes.subarray(start, at), content });
  }
  return found;
}
