// Points in the plane on a canvas.
import { el, text } from './dom.mjs';

const size = 640;
const margin = 58;
const palette = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#8a7500', '#7a7a7a'];

/** A scatter plot whose axes stay while points lie within them, so that seeds can be compared. */
export class PointCloud {
  #range = null;
  #samples = null;
  #classes = null;
  #marked = -1;

  /** @param {(index: number) => void} choose Told of the point that was clicked. */
  constructor(choose) {
    this.canvas = el('canvas', { width: size, height: size, role: 'img', 'aria-label': 'No points yet', class: 'demo-cloud', onclick: event => {
      const index = this.#nearest(event);
      if (index >= 0)
        choose(index);
    } });
    this.element = el('div', { class: 'demo-plot' }, this.canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Shows points; their class decides the colour where there are classes. */
  show(samples, classOf) {
    this.#samples = samples;
    this.#classes = classOf;
    this.#fit();
    this.#draw();
    this.canvas.setAttribute('aria-label', `${text(samples.count)} points of seed ${samples.seed}, between ${text(this.#range[0])} and ${text(this.#range[1])}`);
  }

  /** Points out one of them. */
  mark(index) {
    this.#marked = index;
    this.#draw();
  }

  /** A point's coordinates. */
  point(index) {
    const dimension = this.#samples.shape[0];
    return this.#samples.data.subarray(index * dimension, (index + 1) * dimension);
  }

  #place(index) {
    const [x, y = 0] = this.point(index);
    const [low, high] = this.#range;
    const at = value => (value - low) / (high - low) * (size - 2 * margin);
    return [margin + at(x), size - margin - at(y)];
  }

  #fit() {
    let largest = 1e-6;
    for (const value of this.#samples.data)
      largest = Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
    if (this.#range === null || largest > this.#range[1] || largest < this.#range[1] / 4) {
      const step = 10 ** Math.floor(Math.log10(largest)) / 2;
      const bound = Math.ceil(largest * 1.05 / step) * step;
      this.#range = [-bound, bound];
    }
  }

  #nearest({ offsetX, offsetY }) {
    if (this.#samples === null)
      return -1;
    const scale = size / this.canvas.clientWidth;
    let [best, distance] = [-1, Infinity];
    for (let i = 0; i < this.#samples.count; i++) {
      const [x, y] = this.#place(i);
      const now = Math.hypot(x - offsetX * scale, y - offsetY * scale);
      if (now < distance)
        [best, distance] = [i, now];
    }
    return best;
  }

  #draw() {
    if (this.#samples === null)
      return;
    const context = this.canvas.getContext('2d');
    const style = getComputedStyle(document.documentElement);
    const color = name => style.getPropertyValue(name).trim();
    context.fillStyle = color('--card');
    context.fillRect(0, 0, size, size);
    this.#axes(context, color);
    const { count } = this.#samples;
    const radius = count > 5000 ? 1.2 : count > 1000 ? 1.8 : 2.6;
    context.globalAlpha = count > 1000 ? 0.6 : 0.85;
    for (let i = 0; i < count; i++) {
      const [x, y] = this.#place(i);
      context.fillStyle = this.#classes === null ? color('--accent') : palette[this.#classes(i) % palette.length];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    if (this.#marked >= 0 && this.#marked < count) {
      const [x, y] = this.#place(this.#marked);
      context.strokeStyle = color('--text');
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 7, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  #axes(context, color) {
    const [low, high] = this.#range;
    const inner = size - 2 * margin;
    context.font = '15px system-ui, sans-serif';
    context.lineWidth = 1;
    for (let tick = 0; tick <= 4; tick++) {
      const at = margin + inner * tick / 4;
      const label = text(low + (high - low) * tick / 4);
      context.strokeStyle = color('--line');
      context.strokeRect(margin, at, inner, 0);
      context.strokeRect(at, margin, 0, inner);
      context.fillStyle = color('--muted');
      context.textAlign = 'center';
      context.fillText(label, at, size - margin + 20);
      context.textAlign = 'right';
      context.fillText(label, margin - 8, size - at + 5);
    }
  }
}
