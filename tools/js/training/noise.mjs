// The random numbers of .NET, bit for bit; the one source is what web pages carry. In an assembled page this file is a copy of it, see build.mjs.
export { NoiseStream, streamId } from '../../../src/OnnxDistill/Reporting/Web/philox.mjs';
