// The page of one generator: the demo and what the file says of itself.
import * as ort from './ort.wasm.bundle.min.mjs';
import { Demo, facts } from './demo.mjs';
import { bytes, el } from './dom.mjs';
import { Generator } from './generator.mjs';

const info = JSON.parse(document.getElementById('info').textContent);
const place = document.getElementById('demo');
const note = el('p', { class: 'demo-status', role: 'status' }, `Loading the generator (${bytes(info.bytes)}) and ONNX Runtime ...`);
place.append(note);
document.getElementById('facts').append(facts(info));
try {
  const answer = await fetch(info.file);
  if (!answer.ok)
    throw new Error(`${info.file}: the server answered ${answer.status} ${answer.statusText}`);
  const generator = await Generator.load(ort, new Uint8Array(await answer.arrayBuffer()), info);
  note.remove();
  window.onnxDistillDemo = new Demo(place, generator);
} catch (error) {
  note.className = 'notice';
  note.textContent = `The generator could not be started: ${error.message ?? error}`;
}
