// Elements in one call, without markup in strings: nothing from a file can become markup.

/**
 * @param {string} name The element's name.
 * @param {object} [settings] Properties by name; `class`, names with a dash (data-, aria-) and `role` become attributes, names that begin with 'on' listeners.
 * @param {...(Node | string | null | undefined | false)} children What it holds.
 */
export function el(name, settings = {}, ...children) {
  return fill(document.createElement(name), settings, children);
}

/** The same for a part of an SVG picture, whose settings are all attributes. */
export function svg(name, settings = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(settings))
    element.setAttribute(key, value);
  element.append(...children.filter(Boolean));
  return element;
}

function fill(element, settings, children) {
  for (const [key, value] of Object.entries(settings)) {
    if (value === null || value === undefined || value === false)
      continue;
    if (key.startsWith('on'))
      element.addEventListener(key.slice(2), value);
    else if (key === 'class' || key === 'role' || key.includes('-'))
      element.setAttribute(key, value);
    else
      element[key] = value;
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** A number as people read it: 12,345 or 0.001234 or 1.2e-7. */
export function text(value) {
  if (value === null || value === undefined || Number.isNaN(value))
    return 'none';
  if (Number.isInteger(value) && Math.abs(value) < 1e15)
    return value.toLocaleString('en-US');
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e7 || size < 1e-4) ? value.toExponential(2) : Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 8 });
}

/** A size in bytes as people read it. */
export function bytes(count) {
  return count < 1e6 ? `${text(Math.round(count / 1e3))} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
