// Headless Chromium on a folder, for the checks: no server, no network; what a page asks of http://site.test comes from the folder.
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

export const site = 'http://site.test/';

const types = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.png': 'image/png', '.svg': 'image/svg+xml',
};

/**
 * Opens a browser, hands a page to `work`, and closes both. Errors of the page, failed requests among them, are thrown at the end, so no check passes over them.
 * @param {string | null} folder What http://site.test/ shows; null for pages that lie in files (file:// addresses).
 * @param {(page: import('playwright-core').Page) => Promise<T>} work
 * @param {import('playwright-core').BrowserContextOptions} [options] For instance the size or the colour scheme.
 * @template T
 */
export async function browse(folder, work, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.ONNXDISTILL_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  try {
    const context = await browser.newContext(options);
    if (folder !== null)
      await context.route('**/*', route => answer(folder, route));
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', error => errors.push(error.stack ?? String(error)));
    page.on('requestfailed', request => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
    page.on('console', message => message.type() === 'error' && errors.push(message.text()));
    const result = await work(page);
    if (errors.length > 0)
      throw new Error(`the page reported:\n${errors.join('\n')}`);
    return result;
  } finally {
    await browser.close();
  }
}

async function answer(folder, route) {
  const url = new URL(route.request().url());
  if (!url.href.startsWith(site))
    return route.abort('addressunreachable');
  const path = normalize(decodeURIComponent(url.pathname.endsWith('/') ? `${url.pathname}index.html` : url.pathname));
  try {
    return await route.fulfill({ body: await readFile(join(folder, path)), contentType: types[extname(path)] ?? 'application/octet-stream' });
  } catch {
    return route.fulfill({ status: 404, body: `there is no ${path}` });
  }
}
