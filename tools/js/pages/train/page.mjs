import { chosen, dropped } from './folder.mjs';
import { LossCharts } from './losses.mjs';
import { drawCloud, drawGrid, pictureCount, reach } from './samples.mjs';

const element = Object.fromEntries([...document.querySelectorAll('[id]')].map(e => [e.id, e]));
const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });

/** What the page shows, for scripts. */
const shown = window.training = { state: 'loading', steps: [], before: null, now: null, sampledAt: 0 };

let opened = null, charts = null, times = [], awaited = false;

const heard = {
  ready() {
    if (document.body.dataset.artifacts === 'served')
      open(null);
    else
      say('Choose the folder that onnxdistill artifacts wrote.', 'waiting');
  },

  opened(content) {
    opened = content;
    Object.assign(shown, { steps: [], before: null, now: null });
    times = [];
    awaited = false;
    for (const part of [element.controls, element.numbers, element.losses])
      part.hidden = false;
    element.pictures.hidden = element.save.hidden = opened.generator === null;
    element.steps.value = Math.min(300, Math.ceil(opened.images / opened.batch));
    for (const [id, text] of [['iteration', 0], ['seen', 0], ['rate', '–'], ['time', '–'], ['skipped', 0]])
      element[id].textContent = text;
    charts = new LossCharts(element.losses, opened.phases);
    rest();
    if (opened.generator !== null)
      send('sample', { count: pictureCount(opened.generator), vector: element.vector.value });
  },

  step({ kind, ...step }) {
    shown.steps.push(step);
    charts.add(step.losses);
    times.push(step.milliseconds);
    redrawSoon();
  },

  samples({ iteration, shape, data }) {
    shown.now = { shape, data };
    shown.before ??= shown.now;
    shown.sampledAt = iteration;
    element.nowCaption.textContent = iteration === 0 ? 'Now, from the same noise' : `After ${iteration} steps, from the same noise`;
    redrawSoon();
  },

  rested: rest,

  exported({ bytes }) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
    link.download = `generator-${shown.steps.length}.onnx`;
    link.click();
    // Not at once: the download reads it later.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    rest();
  },

  failed({ message }) {
    say(message, 'failed');
    element.run.textContent = 'Train';
    element.save.disabled = false;
  },
};

worker.addEventListener('message', ({ data }) => heard[data.kind](data));
worker.addEventListener('error', event => heard.failed({ message: `The worker did not start: ${event.message ?? 'its files are missing, or the page was not opened from a server'}.` }));

function send(kind, content = {}) {
  worker.postMessage({ kind, ...content });
}

function say(text, state) {
  shown.state = state;
  element.status.textContent = text;
  element.status.classList.toggle('error', state === 'failed');
}

function open(files) {
  element.controls.hidden = true;
  say('Reading the graphs …', 'loading');
  send('open', { files });
}

function rest() {
  say(`${opened.method}, batch ${opened.batch}; the whole run is ${Math.ceil(opened.images / opened.batch)} steps.`, 'rested');
  element.run.textContent = 'Train';
  element.save.disabled = false;
}

element.controls.addEventListener('submit', event => {
  event.preventDefault();
  if (shown.state === 'training') {
    send('pause');
    return;
  }
  say(`Training with ${opened.method}, batch ${opened.batch} …`, 'training');
  element.run.textContent = 'Pause';
  element.save.disabled = true;
  const { steps, every, vector } = element;
  send('train', { steps: steps.valueAsNumber, every: every.valueAsNumber, count: opened.generator ? pictureCount(opened.generator) : 0, vector: vector.value });
});

element.save.addEventListener('click', () => send('export', { vector: element.vector.value }));
element.vector.addEventListener('change', () => opened.generator && send('sample', { count: pictureCount(opened.generator), vector: element.vector.value }));
element.folder.addEventListener('change', () => element.folder.files.length > 0 && take(chosen(element.folder.files)));

for (const kind of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    document.body.classList.toggle('dropping', kind === 'dragover');
  });
}
document.addEventListener('drop', async event => take(await dropped(event.dataTransfer)));

/** @param {Map<string, File>} files */
function take(files) {
  if (shown.state === 'training')
    send('pause');
  open(files);
}

// At most once a frame, however fast the steps come.
function redrawSoon() {
  if (awaited)
    return;
  awaited = true;
  requestAnimationFrame(() => {
    awaited = false;
    redraw();
  });
}

function redraw() {
  if (opened === null)
    return;
  charts.draw();
  const { steps, before, now } = shown, recent = times.slice(-50).sort((a, b) => a - b), median = recent[recent.length >> 1];
  element.iteration.textContent = steps.length.toLocaleString('en');
  element.seen.textContent = (steps.at(-1)?.imagesSeen ?? 0).toLocaleString('en');
  element.skipped.textContent = steps.reduce((sum, s) => sum + s.skipped, 0);
  if (median) {
    element.rate.textContent = Math.round(1000 * opened.batch / median).toLocaleString('en');
    element.time.textContent = `${median < 100 ? median.toFixed(1) : Math.round(median)} ms`;
  }
  if (now === null)
    return;
  const limit = opened.generator.data === 'image' ? 0 : reach([before, now]);
  for (const [canvas, samples] of [[element.before, before], [element.now, now]]) {
    if (opened.generator.data === 'image')
      drawGrid(canvas, samples, opened.generator.labels);
    else
      drawCloud(canvas, samples, limit);
  }
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawSoon);
addEventListener('resize', redrawSoon);
