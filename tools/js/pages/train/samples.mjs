import { clear, color, short } from './canvas.mjs';

/** @typedef {{ shape: number[], data: Float32Array }} Samples */

/** How many samples a picture has: rows of all classes, or a cloud. */
export function pictureCount({ data, labels }) {
  return data === 'image' ? columns(labels) * 6 : 2000;
}

const columns = labels => labels >= 2 && labels <= 16 ? labels : 10;

/**
 * Draws samples of [N, C, H, W] as a grid, a column a class where there are few classes.
 * @param {HTMLCanvasElement} canvas
 * @param {Samples} samples
 * @param {number} labels
 */
export function drawGrid(canvas, { shape: [count, channels, height, width], data }, labels) {
  const across = columns(labels), down = Math.ceil(count / across);
  const sheet = new OffscreenCanvas(across * width, down * height), image = new ImageData(sheet.width, sheet.height);
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const pixel = 4 * ((Math.floor(n / across) * height + y) * sheet.width + (n % across) * width + x);
        for (let c = 0; c < 3; c++)
          image.data[pixel + c] = 127.5 * (data[((n * channels + Math.min(c, channels - 1)) * height + y) * width + x] + 1);
        image.data[pixel + 3] = 255;
      }
    }
  }
  sheet.getContext('2d').putImageData(image, 0, 0);
  const target = clear(canvas, sheet.height / sheet.width);
  target.context.imageSmoothingEnabled = false;
  target.context.drawImage(sheet, 0, 0, target.width, target.height);
}

/** Half the side of the square that holds all but a few of the points. */
export function reach(clouds) {
  const distances = clouds.flatMap(({ shape: [count, size], data }) =>
    Array.from({ length: count }, (_, i) => Math.max(Math.abs(data[i * size]), Math.abs(data[i * size + Math.min(1, size - 1)]))).filter(Number.isFinite));
  distances.sort((a, b) => a - b);
  return 1.15 * (distances[Math.floor(distances.length * 0.995)] || 1);
}

/**
 * Draws the first two coordinates of points [N, D].
 * @param {HTMLCanvasElement} canvas
 * @param {Samples} samples
 * @param {number} limit Half the side of the square that is shown.
 */
export function drawCloud(canvas, { shape: [count, size], data }, limit) {
  const { context, width } = clear(canvas, 1), scale = width / (2 * limit);
  context.strokeStyle = color('line');
  context.beginPath();
  context.moveTo(0, width / 2), context.lineTo(width, width / 2);
  context.moveTo(width / 2, 0), context.lineTo(width / 2, width);
  context.stroke();
  context.fillStyle = color('faint');
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'right';
  context.fillText(short(limit), width - 4, width / 2 - 4);
  context.fillStyle = color('accent');
  context.globalAlpha = 0.55;
  for (let i = 0; i < count; i++)
    context.fillRect(width / 2 + scale * data[i * size] - 1, width / 2 - scale * data[i * size + Math.min(1, size - 1)] - 1, 2, 2);
  context.globalAlpha = 1;
}
