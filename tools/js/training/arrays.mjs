// numpy's files: .npy, and the zip archive of them that is .npz.

/** What is wrong with the files, or with what was asked of them; everything else is a fault of these scripts. */
export class ArtifactError extends Error {}

const types = { '<f4': Float32Array, '<i8': BigInt64Array, '|u1': Uint8Array };

/**
 * @typedef {{ shape: number[], data: Float32Array | BigInt64Array | Uint8Array }} NumpyArray
 */

/**
 * @param {Uint8Array} bytes
 * @param {string} what Name for error messages.
 * @returns {NumpyArray}
 */
export function readNpy(bytes, what) {
  const text = new TextDecoder('latin1');
  if (bytes.length < 10 || text.decode(bytes.subarray(1, 6)) !== 'NUMPY')
    throw new ArtifactError(`${what} is no .npy array: it does not begin with NUMPY's mark. Write the artifacts anew.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = text.decode(bytes.subarray(start, start + length));
  const found = /'descr': '([^']*)', 'fortran_order': False, 'shape': \(([^)]*)\)/.exec(header);
  const Type = types[found?.[1]];
  if (!Type)
    throw new ArtifactError(`${what} is an array of the form ${header.trim()}; expected rows first and one of the types ${Object.keys(types).join(', ')}.`);
  const shape = found[2].split(',').filter(d => d.trim() !== '').map(Number);
  const count = shape.reduce((a, b) => a * b, 1), content = Uint8Array.prototype.slice.call(bytes, start + length); // a Buffer's own slice is no copy
  if (content.length !== count * Type.BYTES_PER_ELEMENT)
    throw new ArtifactError(`${what} should hold ${count} numbers, that is ${count * Type.BYTES_PER_ELEMENT} bytes, and holds ${content.length}. Was it cut off while it was copied?`);
  return { shape, data: new Type(content.buffer) };
}

/** @param {NumpyArray} array */
export function writeNpy({ shape, data }) {
  const type = Object.keys(types).find(key => data instanceof types[key]);
  let header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  // The content begins at a multiple of 64.
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + '\n';
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 };

/**
 * @param {Uint8Array} bytes
 * @param {string} what
 * @returns {Promise<Record<string, NumpyArray>>}
 */
export async function readNpz(bytes, what) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== signatures.end)
    end--;
  if (end < 0)
    throw new ArtifactError(`${what} is no zip archive, or its end is missing.`);
  const arrays = {};
  let at = view.getUint32(end + 16, true);
  for (let i = view.getUint16(end + 10, true); i > 0; i--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== signatures.central)
      throw new ArtifactError(`${what} is a damaged zip archive, or one of over 4 GB, which this reader does not know.`);
    const [method, size, nameLength] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint16(at + 28, true)];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)), local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = bytes.subarray(start, start + size);
    arrays[name.replace(/\.npy$/, '')] = readNpy(method === 0 ? content : await inflate(content), `'${name}' in ${what}`);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return arrays;
}

async function inflate(bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer());
}

/** @param {Record<string, NumpyArray>} arrays */
export function writeNpz(arrays) {
  const parts = [], central = [];
  let offset = 0;
  for (const [key, array] of Object.entries(arrays)) {
    const content = writeNpy(array), name = new TextEncoder().encode(`${key}.npy`);
    // Version 2.0, names in UTF-8, stored, 1 January 1980; then checksum and sizes.
    const shared = [20, 0, 0, 8, 0, 0, 0, 0, 33, 0, ...words(crc32(content), content.length, content.length), name.length & 255, name.length >> 8, 0, 0];
    parts.push(Uint8Array.from([...words(signatures.local), ...shared]), name, content);
    central.push(Uint8Array.from([...words(signatures.central), 20, 0, ...shared, 0, 0, 0, 0, 0, 0, ...words(0, offset)]), name);
    offset += 30 + name.length + content.length;
  }
  const count = central.length / 2, size = central.reduce((sum, part) => sum + part.length, 0);
  return concat([...parts, ...central, Uint8Array.from([...words(signatures.end), 0, 0, 0, 0, count & 255, count >> 8, count & 255, count >> 8, ...words(size, offset), 0, 0])]);
}

/** @param {Uint8Array[]} parts */
export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts)
    whole.set(part, at), at += part.length;
  return whole;
}

const words = (...numbers) => numbers.flatMap(n => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24]);

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++)
    n = n & 1 ? (n >>> 1) ^ 0xEDB88320 : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes)
    crc = (crc >>> 8) ^ table[(crc ^ byte) & 255];
  return ~crc;
}
