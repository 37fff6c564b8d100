// A run's report: everything is in the page itself.
import { Chart } from './charts.mjs';
import { Demo, facts } from './demo.mjs';
import { bytes, el, text } from './dom.mjs';
import { Generator } from './generator.mjs';

const run = JSON.parse(document.getElementById('run').textContent);
const column = (table, name) => table.rows.map(row => row[table.columns.indexOf(name)]);
const hasColumn = (table, name) => table.columns.includes(name);

document.getElementById('sections').append(...[tiles(), pictures(), ...curves(), demo(), finals(), incidents(), environment(), options()].filter(Boolean));

function section(id, title, ...children) {
  return el('section', { class: 'card', id, 'aria-labelledby': `${id}-title` }, el('h2', { id: `${id}-title` }, title), ...children);
}

function tiles() {
  const speed = column(run.log, 'images_per_second').filter(v => v > 0);
  const middle = [...speed].sort((a, b) => a - b)[Math.floor(speed.length / 2)];
  const lines = [
    ['Progress', `${text(run.imagesSeen)} of ${text(run.images)}`, run.isFinished ? 'samples seen, finished' : 'samples seen, not finished'],
    run.seconds !== null && ['Training time', duration(run.seconds), 'without snapshots and metrics'],
    middle && ['Speed', `${text(Number(middle.toPrecision(3)))} / s`, `samples, the middle of ${speed.length} rows; ${text(Number((1000 * run.batch / middle).toPrecision(3)))} ms a step of ${text(run.batch)}`],
    ...run.headline.map(({ name, value, detail }) => [name, text(value), detail]),
    run.generator && [run.isFit ? 'Teacher' : 'Generator', bytes(run.generator.bytes), run.generator.file],
  ].filter(Boolean);
  return el('div', { class: 'tiles' }, ...lines.map(([name, value, detail]) => el('div', { class: 'tile' }, el('span', {}, name), el('b', {}, value), el('small', {}, detail))));
}

function duration(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${seconds.toFixed(1)} s`;
}

function pictures() {
  const shots = run.snapshots;
  if (shots.length === 0)
    return null;
  const samples = el('img', { id: 'samples' });
  const denoised = el('img', { id: 'denoised' });
  const caption = el('output', { id: 'when', htmlFor: 'slider' });
  const isDenoised = shots.some(s => s.denoised);
  const show = at => {
    const shot = shots[at];
    caption.textContent = `${text(shot.imagesSeen)} samples seen`;
    samples.src = shot.samples;
    samples.alt = `Samples of the ${run.isFit ? 'fitted teacher' : 'student'} after ${text(shot.imagesSeen)} samples seen`;
    denoised.hidden = !shot.denoised;
    if (shot.denoised) {
      denoised.src = shot.denoised;
      denoised.alt = `What teacher and fake score make of noised samples after ${text(shot.imagesSeen)} samples seen`;
    }
  };
  const slider = el('input', { type: 'range', id: 'slider', min: 0, max: shots.length - 1, value: shots.length - 1, 'aria-label': 'Snapshot', oninput: () => show(Number(slider.value)) });
  const go = by => {
    slider.value = (Number(slider.value) + by + shots.length) % shots.length;
    show(Number(slider.value));
  };
  let timer = 0;
  const play = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
    timer = timer ? clearInterval(timer) : setInterval(() => go(1), 600);
    play.setAttribute('aria-pressed', String(Boolean(timer)));
    play.textContent = timer ? 'Stop' : 'Play';
  } }, 'Play');
  show(shots.length - 1);
  const controls = shots.length > 1 && el('div', { class: 'slider' },
    el('button', { type: 'button', 'aria-label': 'Snapshot before', onclick: () => go(-1) }, '◀'), slider,
    el('button', { type: 'button', 'aria-label': 'Next snapshot', onclick: () => go(1) }, '▶'), play);
  return section('pictures', 'Samples through time',
    el('div', { class: 'slider' }, controls || '', caption),
    run.snapshotsFound > shots.length && el('p', { class: 'note' }, `${shots.length} of ${text(run.snapshotsFound)} snapshots, evenly spread.`),
    el('div', { class: isDenoised && !run.isPoints ? 'pictures two' : 'pictures' },
      el('figure', {}, samples, el('figcaption', {}, run.isFit ? 'The same noise at every snapshot, drawn by the sampler.' : 'The same latents at every snapshot, in one step, with the averaged weights.')),
      isDenoised && el('figure', {}, denoised, el('figcaption', {}, run.isPoints
        ? 'Samples of the student, and the same with noise added, as the teacher and the fake score denoise them. Where both agree, the student has nothing left to learn.'
        : 'Each row is a sample of the student; at three noise levels: the sample with noise, what the teacher makes of it, and what the fake score makes of it. Where both agree, the student has nothing left to learn.'))));
}

function curves() {
  const { log, metrics } = run;
  const charts = [];
  const chart = (table, title, names, settings = {}) => {
    const series = x => names.map(({ name, column: key, dashed }) => ({ name, dashed, points: column(table, x).map((v, i) => [v, settings.map ? settings.map(column(table, key)[i]) : column(table, key)[i]]) }));
    const made = new Chart(title, series('images_seen'), settings);
    charts.push({ made, series, table });
    return made.element;
  };
  const named = prefix => log.columns.filter(c => c.startsWith(prefix)).map(c => ({ name: words(c.slice(prefix.length)), column: c }));
  const losses = named('loss_').map(line => chart(log, `Loss of the ${line.name} phase`, [{ ...line, name: 'loss' }]));
  const norms = named('gradient_norm_');
  const training = [
    ...losses,
    norms.length > 0 && chart(log, 'Gradient norms', norms, { log: true, hint: 'Before clipping.' }),
    chart(log, 'Samples per second', [{ name: 'samples per second', column: 'images_per_second' }]),
    chart(log, 'Milliseconds a step', [{ name: 'ms', column: 'images_per_second' }], { map: v => v > 0 ? 1000 * run.batch / v : NaN, hint: `A step is a batch of ${run.batch} samples.` }),
    ...log.columns.filter(c => !/^(images_seen|seconds|images_per_second|skipped_total|loss_.*|gradient_norm_.*)$/.test(c) && column(log, c).some(v => v !== 0 && v !== null))
      .map(c => chart(log, sentence(c), [{ name: words(c), column: c }])),
  ];
  const measured = !metrics || metrics.rows.length === 0 ? [] : metrics.columns.filter(c => c !== 'images_seen' && c !== 'seconds' && !c.startsWith('real.')).map(c => chart(metrics, c,
    [{ name: run.isFit ? 'teacher' : 'student', column: c }, hasColumn(metrics, `real.${c}`) && { name: 'real data', column: `real.${c}`, dashed: true }].filter(Boolean)));
  const hasTime = hasColumn(log, 'seconds');
  const axis = el('div', { class: 'axis', role: 'group', 'aria-label': 'Horizontal axis' }, ...[['images_seen', 'samples seen'], ['seconds', 'seconds of training']].map(([key, name]) =>
    el('button', { type: 'button', class: 'small', 'aria-pressed': String(key === 'images_seen'), onclick: event => {
      [...axis.children].forEach(b => b.setAttribute('aria-pressed', String(b === event.currentTarget)));
      charts.forEach(({ made, series, table }) => hasColumn(table, key) && made.update(series(key), name));
    } }, name)));
  const troubles = ['skipped_updates', 'non_finite_losses', 'replaced_numbers', 'scale_overflows'].filter(c => hasColumn(log, c));
  const isClean = troubles.every(c => column(log, c).every(v => v === 0 || v === null));
  return [
    measured.length > 0 && section('metrics', 'Metrics', el('div', { class: 'charts' }, ...measured)),
    section('training', 'Training', hasTime && axis, el('div', { class: 'charts' }, ...training.filter(Boolean)),
      el('p', { class: 'note' }, isClean ? 'Every loss and gradient was finite; no update was left out.' : 'Some losses or gradients were not finite, or updates were left out: see the charts above.')),
  ];
}

function words(name) {
  return name.replaceAll('_', ' ');
}

function sentence(name) {
  return words(name).replace(/^./, c => c.toUpperCase());
}

function demo() {
  if (run.isFit)
    return null;
  if (!run.demo)
    return section('demo', 'Draw from the generator', el('p', { class: 'notice' }, run.noDemo));
  const status = el('p', { class: 'demo-status', role: 'status' }, 'The generator starts when this part of the page is seen.');
  const place = el('div', {}, status);
  const start = async () => {
    try {
      status.textContent = 'Starting the generator ...';
      const [script, wasm, model] = await Promise.all(['ort-script', 'ort-binary', 'model'].map(embedded));
      const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
      const ort = await import(address);
      URL.revokeObjectURL(address);
      ort.env.wasm.wasmBinary = wasm.buffer;
      const generator = await Generator.load(ort, model, run.demo);
      status.remove();
      window.onnxDistillDemo = new Demo(place, generator);
    } catch (error) {
      status.className = 'notice';
      status.textContent = `The generator could not be started: ${error.message ?? error}`;
    }
  };
  const seen = new IntersectionObserver(entries => {
    if (entries.some(e => e.isIntersecting)) {
      seen.disconnect();
      start();
    }
  }, { rootMargin: '200px' });
  seen.observe(place);
  return section('demo', 'Draw from the generator', el('p', { class: 'note' }, `The newest exported generator, ${run.demo.file}, runs in this page: one step from random numbers to a sample.`), place, el('hr'), facts(run.demo));
}

// What lies in the page as compressed base64.
async function embedded(id) {
  const element = document.getElementById(id);
  const packed = Uint8Array.from(atob(element.textContent), c => c.charCodeAt(0));
  element.remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function finals() {
  const metrics = run.metrics?.rows.length > 0 ? run.metrics : null;
  const last = (table, name) => column(table, name).at(-1);
  const shown = value => value === undefined ? '' : value === null ? 'not finite' : text(value);
  const rows = [
    ...(metrics?.columns ?? []).filter(c => !/^(images_seen|seconds|real\..*)$/.test(c)).map(c => [c, last(metrics, c), hasColumn(metrics, `real.${c}`) ? last(metrics, `real.${c}`) : undefined]),
    ...run.log.columns.map(c => [c, last(run.log, c), undefined]),
  ];
  const columns = metrics ? ['Number', run.isFit ? 'Teacher' : 'Student', 'Real data'] : ['Number', 'Value'];
  return section('final', 'Final numbers', el('p', { class: 'note' }, `The last row of log.csv${metrics ? ' and of metrics.csv' : ''}.`), el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...columns.map(h => el('th', { scope: 'col' }, h)))),
    el('tbody', {}, ...rows.map(([name, value, real]) => el('tr', {}, el('td', {}, name), el('td', { class: 'number' }, shown(value)), metrics && el('td', { class: 'number' }, shown(real))))))));
}

function incidents() {
  if (run.incidents.length === 0)
    return null;
  return section('incidents', 'Incidents', el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ...['When (UTC)', 'Samples seen', 'What', 'Detail'].map(h => el('th', { scope: 'col' }, h)))),
    el('tbody', {}, ...run.incidents.map(i => el('tr', {}, el('td', {}, i.utc.replace('T', ' ').replace('Z', '')), el('td', { class: 'number' }, text(i.imagesSeen)), el('td', {}, i.incident), el('td', {}, i.detail)))))));
}

function environment() {
  if (!run.environment)
    return null;
  const names = { onnxDistill: 'OnnxDistill', onnxRuntime: 'ONNX Runtime', dotNet: '.NET', device: 'Device', processor: 'Processor', threadsPerSession: 'Threads per session', lanes: 'Lanes', rounds: 'Rounds', ranks: 'Ranks' };
  return section('environment', 'Environment', el('dl', { class: 'facts' }, ...Object.entries(run.environment).map(([key, value]) =>
    el('div', {}, el('dt', {}, names[key] ?? key), el('dd', {}, String(value))))));
}

function options() {
  return section('options', 'Options', el('details', {}, el('summary', {}, 'The resolved recipe of this run (options.json)'), el('pre', {}, JSON.stringify(run.options, null, 2))));
}
