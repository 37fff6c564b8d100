// A run's report, opened as a file in a browser without a network: node checks/report.mjs REPORT.html CASES.json [PICTURES]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { browse } from './browser.mjs';
import { difference, drawn } from './samples.mjs';

const [report, casesFile, pictures] = process.argv.slice(2);
const cases = JSON.parse(await readFile(casesFile, 'utf8'));
const address = pathToFileURL(report).href;

async function check(page) {
  const outside = [];
  page.on('request', request => /^(data:|blob:)/.test(request.url()) || request.url() === address || outside.push(request.url()));
  await page.goto(address);
  const lines = await page.evaluate(() => [...document.querySelectorAll('.chart')].map(chart => ({
    title: chart.querySelector('h3').textContent,
    points: [...chart.querySelectorAll('path.line')].map(path => path.getAttribute('d').match(/[ML]/g)?.length ?? 0),
  })));

  // Norms are always there, positive, and more than one.
  const chart = page.locator('.chart', { hasText: 'Gradient norms' });
  const plot = chart.locator('.plot');
  const paths = () => chart.locator('path.line').evaluateAll(all => all.map(p => p.getAttribute('d')).join());
  const before = await paths();
  await chart.getByRole('button', { name: 'log', exact: true }).click();
  const isChangedByLog = await paths() !== before;
  await plot.scrollIntoViewIfNeeded();
  await plot.hover();
  const tip = await page.locator('.tip:visible').textContent();
  const byTime = page.getByRole('button', { name: 'seconds of training' });
  const hasTime = await byTime.count() > 0;
  if (hasTime)
    await byTime.click();

  const slider = page.locator('#slider');
  const hasDenoised = await page.locator('#denoised').count() > 0;
  const sources = [];
  if (await slider.count() > 0) {
    for (let at = Number(await slider.getAttribute('max')); at >= 0; at--) {
      await slider.fill(String(at));
      sources.push({ samples: await page.locator('#samples').getAttribute('src'), when: await page.locator('#when').textContent(), denoised: hasDenoised && await page.locator('#denoised').getAttribute('src') });
      await page.waitForFunction(() => [...document.querySelectorAll('.pictures img')].every(i => i.hidden || (i.complete && i.naturalWidth > 0)));
    }
  }

  const differences = [];
  const demo = page.locator('#demo');
  const hasDemo = await demo.count() > 0;
  if (hasDemo && cases.length > 0) {
    await demo.scrollIntoViewIfNeeded();
    await drawn(page);
    for (const one of cases)
      differences.push(await difference(page, one));
  }
  return {
    lines, isChangedByLog, tip, hasTime, differences, outside, snapshots: sources.map(s => s.when),
    different: new Set(sources.map(s => s.samples)).size, hasDenoised: sources.length > 0 && sources.every(s => s.denoised), demo: hasDemo ? await demo.textContent() : null,
    text: await page.locator('main').textContent(), ground: await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
  };
}

const results = {};
for (const colorScheme of ['light', 'dark']) {
  results[colorScheme] = await browse(null, async page => {
    const found = await check(page);
    if (pictures) {
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: join(pictures, `report-${colorScheme}.png`), fullPage: true });
    }
    return found;
  }, { colorScheme, offline: true });
}
console.log(JSON.stringify(results));
