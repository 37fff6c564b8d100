// Line charts as inline SVG: hover and arrow keys tell values, the y axis can be logarithmic.
import { el, svg, text } from './dom.mjs';

const frame = { height: 230, left: 58, right: 24, top: 10, bottom: 30 };

/**
 * One chart.
 * @typedef {{ name: string, points: [number, number][], dashed?: boolean }} Series
 */
export class Chart {
  #series;
  #width = 480;
  #log;
  #cursor = -1;

  /**
   * @param {string} title What it shows.
   * @param {Series[]} series Its lines; the numbers of each ascend in x.
   * @param {{ log?: boolean, xName?: string, hint?: string }} [options]
   */
  constructor(title, series, { log = false, xName = 'samples seen', hint = '' } = {}) {
    this.title = title;
    this.xName = xName;
    this.#series = series.map((s, index) => ({ ...s, index, isShown: true }));
    this.#log = log;
    this.tip = el('div', { class: 'tip', hidden: true });
    this.plot = el('div', { class: 'plot', tabIndex: 0, role: 'group', 'aria-label': this.#summary(),
      onpointermove: event => this.#hover(event), onpointerleave: () => this.#point(-1), onblur: () => this.#point(-1), onkeydown: event => this.#move(event) });
    this.logButton = el('button', { type: 'button', class: 'small', 'aria-pressed': String(log), onclick: () => this.#toggle() }, 'log');
    this.element = el('figure', { class: 'chart' },
      el('figcaption', {}, el('h3', { title: hint }, title), this.#legend(), this.logButton), this.plot, this.tip);
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (width > 0 && width !== this.#width) {
        this.#width = width;
        this.#draw();
      }
    }).observe(this.plot);
    this.#draw();
  }

  /** Shows other numbers of the same lines, or another x axis. */
  update(series, xName) {
    this.xName = xName;
    series.forEach((s, i) => this.#series[i].points = s.points);
    this.#draw();
  }

  #summary() {
    return `${this.title}: ${this.#series.map(s => {
      const last = s.points.at(-1);
      return `${s.name}, ${s.points.length} values, the last ${last ? text(last[1]) : 'none'}`;
    }).join('; ')}. Arrow keys tell values.`;
  }

  #legend() {
    if (this.#series.length < 2)
      return '';
    return el('span', { class: 'legend' }, ...this.#series.map(s => el('button', { type: 'button', class: 'small key', 'aria-pressed': 'true', onclick: event => {
      s.isShown = !s.isShown;
      event.currentTarget.setAttribute('aria-pressed', String(s.isShown));
      this.#draw();
    } }, el('i', { class: `swatch c${s.index % 6}${s.dashed ? ' dashed' : ''}` }), s.name)));
  }

  #toggle() {
    this.#log = !this.#log;
    this.logButton.setAttribute('aria-pressed', String(this.#log));
    this.#draw();
  }

  #draw() {
    const shown = this.#series.filter(s => s.isShown);
    const points = shown.flatMap(s => s.points).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
    this.x = new Axis(points.map(p => p[0]), false, frame.left, this.#width - frame.right, 90);
    this.y = new Axis(points.map(p => p[1]), this.#log, frame.height - frame.bottom, frame.top, 36);
    const picture = svg('svg', { width: this.#width, height: frame.height, viewBox: `0 0 ${this.#width} ${frame.height}`, 'aria-hidden': 'true' });
    for (const { at, label } of this.y.ticks())
      picture.append(svg('line', { class: 'grid', x1: frame.left, x2: this.#width - frame.right, y1: at, y2: at }), word(label, { x: frame.left - 8, y: at + 4, 'text-anchor': 'end' }));
    for (const { at, label } of this.x.ticks())
      picture.append(svg('line', { class: 'grid', x1: at, x2: at, y1: frame.top, y2: frame.height - frame.bottom }), word(label, { x: at, y: frame.height - frame.bottom + 18, 'text-anchor': 'middle' }));
    for (const s of shown)
      picture.append(...this.#line(s));
    if (points.length === 0)
      picture.append(word('no finite numbers', { x: this.#width / 2, y: frame.height / 2, 'text-anchor': 'middle' }));
    this.marks = svg('g', {});
    picture.append(this.marks);
    this.plot.replaceChildren(picture);
  }

  // A number that is not finite is a gap.
  #line(s) {
    let isGap = true;
    let path = '';
    const dots = [];
    for (const [x, y] of s.points) {
      if (!Number.isFinite(y) || !Number.isFinite(x)) {
        isGap = true;
        continue;
      }
      const [px, py] = [this.x.place(x).toFixed(1), this.y.place(y).toFixed(1)];
      path += `${isGap ? 'M' : 'L'}${px} ${py}`;
      isGap = false;
      if (s.points.length <= 60 && !s.dashed)
        dots.push(svg('circle', { class: `dot c${s.index % 6}`, cx: px, cy: py, r: 2.5 }));
    }
    return [svg('path', { class: `line c${s.index % 6}${s.dashed ? ' dashed' : ''}`, d: path, 'data-name': s.name }), ...dots];
  }

  #hover(event) {
    const box = this.plot.getBoundingClientRect();
    const x = this.x.value(event.clientX - box.left);
    const points = this.#longest();
    let best = -1;
    points.forEach(([px], i) => {
      if (best < 0 || Math.abs(px - x) < Math.abs(points[best][0] - x))
        best = i;
    });
    this.#point(best);
  }

  #move(event) {
    const points = this.#longest();
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || points.length === 0)
      return;
    event.preventDefault();
    this.#point(Math.min(points.length - 1, Math.max(0, (this.#cursor < 0 ? (by < 0 ? points.length : -1) : this.#cursor) + by)));
  }

  #longest() {
    return this.#series.filter(s => s.isShown).map(s => s.points).reduce((a, b) => b.length > a.length ? b : a, []);
  }

  #point(cursor) {
    this.#cursor = cursor;
    this.marks.replaceChildren();
    this.tip.hidden = cursor < 0;
    if (cursor < 0)
      return;
    const x = this.#longest()[cursor][0];
    const at = this.x.place(x);
    this.marks.append(svg('line', { class: 'cursor', x1: at, x2: at, y1: frame.top, y2: frame.height - frame.bottom }));
    const rows = this.#series.filter(s => s.isShown).flatMap(s => {
      const point = s.points.find(p => p[0] === x);
      if (!point)
        return [];
      if (Number.isFinite(point[1]))
        this.marks.append(svg('circle', { class: `dot c${s.index % 6}`, cx: at, cy: this.y.place(point[1]), r: 4 }));
      return [el('div', {}, el('i', { class: `swatch c${s.index % 6}${s.dashed ? ' dashed' : ''}` }), this.#series.length > 1 ? `${s.name} ` : '', el('b', {}, text(point[1])))];
    });
    this.tip.replaceChildren(el('div', { class: 'tip-x' }, `${text(x)} ${this.xName}`), ...rows);
    const isRight = at > this.#width / 2;
    this.tip.style.left = isRight ? '' : `${at + 14}px`;
    this.tip.style.right = isRight ? `${this.#width - at + 14}px` : '';
  }
}

function word(label, place) {
  const element = svg('text', place);
  element.textContent = label;
  return element;
}

// From numbers to pixels. A logarithmic axis over numbers of both signs is linear about zero and logarithmic beyond (a symmetric logarithm).
class Axis {
  constructor(values, isLog, from, to, spacing) {
    [this.from, this.to, this.spacing] = [from, to, spacing];
    this.isLog = isLog && values.some(v => v !== 0);
    const sizes = values.map(Math.abs).filter(v => v > 0).sort((a, b) => a - b);
    this.unit = values.some(v => v <= 0) ? sizes[Math.floor(sizes.length / 20)] ?? 1 : 0;
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!Number.isFinite(low))
      [low, high] = [0, 1];
    if (low === high)
      [low, high] = low === 0 ? [-1, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
    const [bent, bentHigh] = [this.bend(low), this.bend(high)];
    const air = spacing < 60 ? (bentHigh - bent) * 0.05 : 0;
    [this.low, this.high] = [bent - air, bentHigh + air];
  }

  bend(v) {
    return !this.isLog ? v : this.unit === 0 ? Math.log10(v) : Math.sign(v) * Math.log10(1 + Math.abs(v) / this.unit);
  }

  unbend(v) {
    return !this.isLog ? v : this.unit === 0 ? 10 ** v : Math.sign(v) * this.unit * (10 ** Math.abs(v) - 1);
  }

  place(v) {
    return this.from + (this.bend(v) - this.low) / (this.high - this.low) * (this.to - this.from);
  }

  value(pixel) {
    return this.unbend(this.low + (pixel - this.from) / (this.to - this.from) * (this.high - this.low));
  }

  ticks() {
    const wanted = Math.max(2, Math.floor(Math.abs(this.to - this.from) / this.spacing));
    const values = this.isLog ? this.#powers(wanted) : this.#steps(wanted, this.low, this.high);
    return values.map(v => ({ at: this.place(v), label: short(v) }));
  }

  #steps(wanted, low, high) {
    const rough = (high - low) / wanted;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(f => f * power >= rough) * power;
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }

  #powers(wanted) {
    const [low, high] = [this.unbend(this.low), this.unbend(this.high)];
    const powers = [];
    for (let power = -12; power <= 15; power++)
      powers.push(10 ** power, -(10 ** power));
    const few = powers.filter(v => v >= low && v <= high && (this.unit === 0 || Math.abs(v) >= this.unit));
    if (this.unit > 0 && low <= 0 && high >= 0)
      few.push(0);
    if (few.length < 2)
      return this.#steps(wanted, low, high).filter(v => this.unit > 0 || v > 0);
    // The largest of what would stand on one another.
    few.sort((a, b) => Math.abs(b) - Math.abs(a));
    return few.reduce((kept, v) => kept.every(k => Math.abs(this.place(k) - this.place(v)) > 16) ? [...kept, v] : kept, []);
  }
}

function short(v) {
  const size = Math.abs(v);
  if (size >= 1e9 || (size > 0 && size < 1e-3))
    return v.toExponential(0).replace('e+', 'e');
  return size >= 1e6 ? `${Number((v / 1e6).toPrecision(4))}M` : size >= 1e4 ? `${Number((v / 1e3).toPrecision(4))}k` : String(Number(v.toPrecision(5)));
}
