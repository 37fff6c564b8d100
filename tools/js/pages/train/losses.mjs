import { clear, color, short } from './canvas.mjs';

/** The losses of all phases, a small chart each: every step faintly, their running mean boldly. */
export class LossCharts {
  #charts = new Map();
  #steps = [];

  /**
   * @param {HTMLElement} parent
   * @param {string[]} phases
   */
  constructor(parent, phases) {
    parent.replaceChildren();
    for (const phase of phases) {
      const figure = document.createElement('figure'), caption = document.createElement('figcaption'), canvas = document.createElement('canvas');
      canvas.setAttribute('role', 'img');
      figure.append(caption, canvas);
      parent.append(figure);
      this.#charts.set(phase, { caption, canvas });
    }
    this.draw();
  }

  /** @param {Record<string, number>} losses */
  add(losses) {
    this.#steps.push(losses);
  }

  draw() {
    for (const [phase, { caption, canvas }] of this.#charts) {
      const points = this.#steps.map((losses, step) => ({ step: step + 1, loss: losses[phase] })).filter(p => Number.isFinite(p.loss));
      const mean = runningMean(points, Math.max(1, Math.floor(points.length / 30)));
      caption.textContent = `Loss of ${phase}${mean.length > 0 ? `: ${short(mean.at(-1).loss)}` : ''}`;
      canvas.setAttribute('aria-label', `${caption.textContent}, a curve of ${points.length} steps`);
      drawChart(canvas, points, mean, this.#steps.length);
    }
  }
}

function runningMean(points, window) {
  let sum = 0;
  return points.map(({ step, loss }, i) => {
    sum += loss - (i >= window ? points[i - window].loss : 0);
    return { step, loss: sum / Math.min(window, i + 1) };
  });
}

function drawChart(canvas, points, mean, steps) {
  const { context, width, height } = clear(canvas, 0.5), left = 68, bottom = 20, top = 6, right = 6;
  const sorted = points.map(p => p.loss).sort((a, b) => a - b), at = share => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  // A few extreme steps must not flatten the rest.
  let [low, high] = sorted.length > 0 ? [at(0.01), at(0.99)] : [0, 1];
  if (high - low < 1e-12 * Math.max(1, Math.abs(high)))
    [low, high] = [low - 0.5, high + 0.5];
  const x = step => left + (width - left - right) * (steps > 1 ? (step - 1) / (steps - 1) : 0.5);
  const y = loss => top + (height - top - bottom) * (1 - (Math.min(high, Math.max(low, loss)) - low) / (high - low));
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'right';
  for (const share of [0, 0.5, 1]) {
    const loss = low + share * (high - low);
    context.strokeStyle = color('line');
    context.beginPath();
    context.moveTo(left, y(loss)), context.lineTo(width - right, y(loss));
    context.stroke();
    context.fillStyle = color('faint');
    context.fillText(sorted.length > 0 ? short(loss) : '', left - 6, y(loss) + 4);
  }
  context.fillText(steps > 0 ? `step ${steps}` : '', width - right, height - 5);
  for (const [line, name, thickness] of [[points, 'raw', 1], [mean, 'accent', 2]]) {
    context.strokeStyle = color(name);
    context.lineWidth = thickness;
    context.beginPath();
    for (const { step, loss } of line)
      context.lineTo(x(step), y(loss));
    context.stroke();
  }
  context.lineWidth = 1;
}
