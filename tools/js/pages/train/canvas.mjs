// What both kinds of picture need of a canvas.

/**
 * Makes the canvas as sharp as the screen and empties it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} ratio Height over width.
 * @returns {{ context: CanvasRenderingContext2D, width: number, height: number }} Sizes in CSS pixels.
 */
export function clear(canvas, ratio) {
  const width = canvas.clientWidth, height = Math.round(width * ratio), scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}

/** A colour of the style sheet, which differs between light and dark. */
export const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A number of four digits. */
export function short(value) {
  if (!Number.isFinite(value))
    return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
