// The demo: seeds and classes in, one-step samples out, at once. Stands in a page of its own and in reports.
import { bytes, el, text } from './dom.mjs';
import { imageOf } from './generator.mjs';
import { PointCloud } from './points.mjs';

const enoughWork = 40; // Milliseconds between two looks at what the visitor does.

/** The demo inside an element; draws its first samples at once. `last` has the samples that it shows, for who wants to check them. */
export class Demo {
  #run = 0;
  #selected = 0;
  #label = null;
  #count;

  /**
   * @param {HTMLElement} root Receives the demo.
   * @param {import('./generator.mjs').Generator} generator What draws.
   */
  constructor(root, generator) {
    this.generator = generator;
    this.info = generator.info;
    this.isImage = this.info.data === 'image';
    this.#count = this.isImage ? 36 : 2000;
    this.last = null;
    this.#build(root);
    this.ready = this.draw();
  }

  /** The seed in the field, within 64 bits with sign; null when it is no whole number. */
  get seed() {
    try {
      return BigInt.asIntN(64, BigInt(this.seedField.value.trim()));
    } catch {
      return null;
    }
  }

  /** Draws the samples of the seed, the class and the count that are set. */
  async draw() {
    const seed = this.seed;
    this.seedField.setAttribute('aria-invalid', String(seed === null));
    if (seed === null) {
      this.status.textContent = 'A seed is a whole number, such as 42.';
      return;
    }
    const run = ++this.#run;
    const count = this.#count;
    const samples = { seed, label: this.#label, count, data: null, shape: null };
    let [done, batch, spent] = [0, this.isImage ? 1 : 256, 0];
    while (done < count) {
      const now = Math.min(batch, count - done);
      const part = await this.generator.sample(seed, done, now, this.#label);
      if (run !== this.#run)
        return;
      samples.shape = part.shape;
      samples.data ??= new part.data.constructor(count * part.data.length / now);
      samples.data.set(part.data, done * part.data.length / now);
      spent += part.milliseconds;
      if (this.isImage)
        this.#showImages(part, done, now);
      done += now;
      batch = Math.max(1, Math.min(256, Math.floor(enoughWork * done / spent)));
      // Let the page breathe, so that a further click is seen.
      await new Promise(resume => setTimeout(resume));
      if (run !== this.#run)
        return;
    }
    this.last = samples;
    if (!this.isImage)
      this.cloud.show(samples, this.info.labels > 0 ? index => this.generator.label(index, samples.label) : null);
    const one = spent / count;
    const each = one < 0.1 ? `${Math.ceil(one * 1000)} µs` : `${text(Number(one.toPrecision(2)))} ms`;
    this.status.textContent = `${text(count)} ${this.isImage ? 'images' : 'points'} in ${text(Math.round(spent))} ms, ${each} each, in one step on one thread`;
    this.#select(Math.min(this.#selected, count - 1));
  }

  #build(root) {
    const step = by => () => {
      this.seedField.value = String((this.seed ?? 0n) + by);
      this.draw();
    };
    this.seedField = el('input', { id: 'demo-seed', type: 'text', inputMode: 'numeric', value: '0', autocomplete: 'off', spellcheck: false, onchange: () => this.draw() });
    const fresh = () => {
      this.seedField.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
      this.draw();
    };
    this.status = el('p', { class: 'demo-status', role: 'status' }, 'Drawing ...');
    const counts = this.isImage ? [1, 16, 36, 64, 100] : [500, 2000, 5000, 20000];
    const count = el('select', { id: 'demo-count', onchange: event => {
      this.#count = Number(event.target.value);
      this.#makeCells();
      this.draw();
    } }, ...counts.map(n => el('option', { value: n, selected: n === this.#count }, text(n))));
    root.append(
      el('div', { class: 'demo-bar' },
        el('label', { htmlFor: 'demo-seed' }, 'Seed'),
        el('span', { class: 'demo-seed' },
          el('button', { type: 'button', 'aria-label': 'Previous seed', onclick: step(-1n) }, '◀'),
          this.seedField,
          el('button', { type: 'button', 'aria-label': 'Next seed', onclick: step(1n) }, '▶')),
        el('button', { type: 'button', class: 'primary', id: 'demo-new', onclick: fresh }, 'Draw new'),
        el('label', { htmlFor: 'demo-count' }, this.isImage ? 'Images' : 'Points'), count,
        el('button', { type: 'button', id: 'demo-save', onclick: () => this.#save() }, 'Download PNG')),
      this.#classes(),
      el('div', { class: `demo-view ${this.isImage ? 'images' : 'points'}` },
        this.#picture(),
        this.#detail()),
      this.status);
    this.#makeCells();
  }

  #classes() {
    if (this.info.labels === 0)
      return '';
    const buttons = [null, ...Array(this.info.labels).keys()].map(label => el('button', {
      type: 'button', 'aria-pressed': String(label === null), onclick: event => {
        this.#label = label;
        buttons.forEach(b => b.setAttribute('aria-pressed', String(b === event.currentTarget)));
        this.draw();
      },
    }, label === null ? 'all in turn' : this.#className(label)));
    return el('div', { class: 'demo-classes', role: 'group', 'aria-label': 'Class' }, el('span', {}, 'Class'), ...buttons);
  }

  #className(label) {
    return this.info.classNames?.[label] ?? String(label);
  }

  #picture() {
    if (this.isImage)
      return this.grid = el('div', { class: 'demo-grid', role: 'group', 'aria-label': 'Samples', onkeydown: event => this.#move(event) });
    this.cloud = new PointCloud(index => this.#select(index));
    return this.cloud.element;
  }

  #detail() {
    this.large = el('canvas', { class: 'demo-large', role: 'img', 'aria-label': 'The selected sample' });
    this.caption = el('dl', { class: 'demo-caption' });
    return el('div', { class: 'demo-detail' }, this.isImage ? this.large : '', this.caption);
  }

  #makeCells() {
    if (!this.isImage)
      return;
    const columns = Math.ceil(Math.sqrt(this.#count));
    const [height, width] = this.info.imageExtents;
    this.grid.style.setProperty('--columns', columns);
    this.cells = Array.from({ length: this.#count }, (_, index) => {
      const canvas = el('canvas', { width, height });
      return el('button', { type: 'button', tabIndex: index === 0 ? 0 : -1, 'aria-label': `Sample ${index}`, onclick: () => this.#select(index) }, canvas);
    });
    this.grid.replaceChildren(...this.cells);
  }

  #showImages(part, first, count) {
    for (let i = 0; i < count; i++) {
      const index = first + i;
      this.cells[index].firstChild.getContext('2d').putImageData(imageOf(part, i), 0, 0);
      this.cells[index].setAttribute('aria-label', this.#name(index));
    }
  }

  #name(index) {
    const label = this.info.labels > 0 ? `, class ${this.#className(this.generator.label(index, this.#label))}` : '';
    return `Sample ${index} of seed ${this.seedField.value}${label}`;
  }

  #select(index) {
    this.#selected = index;
    if (this.isImage) {
      this.cells.forEach((cell, i) => {
        cell.tabIndex = i === index ? 0 : -1;
        cell.setAttribute('aria-pressed', String(i === index));
      });
    }
    if (this.last === null)
      return;
    const { seed, label, count } = this.last;
    const facts = [['Seed', String(seed)], ['Sample', `${text(index)} of ${text(count)}`]];
    if (this.info.labels > 0)
      facts.push(['Class', this.#className(this.generator.label(index, label))]);
    if (this.isImage) {
      const image = imageOf(this.last, index);
      [this.large.width, this.large.height] = [image.width, image.height];
      this.large.getContext('2d').putImageData(image, 0, 0);
      this.large.setAttribute('aria-label', this.#name(index));
    } else {
      this.cloud.mark(index);
      facts.push(['Point', [...this.cloud.point(index)].map(text).join(', ')]);
    }
    const command = `onnxdistill sample ${this.info.file} -n ${count} --seed ${seed}${label === null ? '' : ` --label ${label}`}`;
    this.caption.replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]), el('dt', {}, 'The same'), el('dd', {}, el('code', {}, command)));
  }

  #move(event) {
    const columns = Math.ceil(Math.sqrt(this.#count));
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const to = this.#selected + by;
    if (by === undefined || to < 0 || to >= this.#count)
      return;
    event.preventDefault();
    this.#select(to);
    this.cells[to].focus();
  }

  #save() {
    if (this.last === null)
      return;
    const canvas = this.isImage ? this.#sheet() : this.cloud.canvas;
    const link = el('a', { download: `samples-seed-${this.last.seed}.png`, href: canvas.toDataURL('image/png') });
    link.click();
  }

  #sheet() {
    const { count } = this.last;
    const columns = Math.ceil(Math.sqrt(count));
    const [height, width] = this.info.imageExtents;
    const sheet = el('canvas', { width: columns * (width + 2) + 2, height: Math.ceil(count / columns) * (height + 2) + 2 });
    const context = sheet.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, sheet.width, sheet.height);
    for (let i = 0; i < count; i++)
      context.putImageData(imageOf(this.last, i), i % columns * (width + 2) + 2, Math.floor(i / columns) * (height + 2) + 2);
    return sheet;
  }
}

/** What the file says of itself, as a list for people. */
export function facts(info) {
  const lines = [
    ['Method', info.method], ['Trained on', info.imagesSeen ? `${text(info.imagesSeen)} generated samples` : ''], ['Input', `${info.latentShape.join(' × ')} normal numbers${info.labels > 0 ? `, one of ${info.labels} classes` : ''}`],
    ['Output', info.data === 'image' ? `image, ${info.outputText}` : `point, ${info.outputText}`], ['Size', `${bytes(info.bytes)}, ${text(info.parameters)} weights`],
    ['Teacher', info.teacher ? `SHA-256 ${info.teacher.slice(0, 16)}…` : ''], ["Teacher's licence", info.licence], ['Runs on', `ONNX Runtime ${info.runtime}, WebAssembly`],
  ].filter(([, value]) => value);
  return el('dl', { class: 'facts' }, ...lines.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}
