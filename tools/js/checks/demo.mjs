// The page of a generator in a browser: node checks/demo.mjs FOLDER CASES.json [PICTURES]
// It loads, draws what OnnxDistill draws, and answers to clicks and keys. With a third argument pictures of it go there, light, dark and narrow.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { browse, site } from './browser.mjs';
import { difference, drawn } from './samples.mjs';

const [folder, casesFile, pictures] = process.argv.slice(2);
const cases = JSON.parse(await readFile(casesFile, 'utf8'));
const shown = page => page.evaluate(() => [...document.querySelectorAll('.demo-grid canvas, .demo-cloud')].map(c => c.toDataURL()).join());
const large = page => page.evaluate(() => document.querySelector('.demo-large')?.toDataURL() ?? document.querySelector('.demo-caption').textContent);

const result = await browse(folder, async page => {
  await page.goto(site);
  await drawn(page);
  const differences = [];
  for (const one of cases)
    differences.push(await difference(page, one));

  const before = await shown(page);
  await page.evaluate(() => window.onnxDistillDemo.last = null);
  await page.click('#demo-new');
  await drawn(page);
  const isChangedByNew = await shown(page) !== before;

  // A sample shows large; the next one by its key or a click.
  const first = await large(page);
  if (await page.locator('.demo-grid').count() > 0) {
    await page.locator('.demo-grid button').nth(0).focus();
    await page.keyboard.press('ArrowRight');
  } else {
    await page.locator('.demo-cloud').click({ position: { x: 100, y: 100 } });
  }
  const isChangedBySelection = await large(page) !== first;

  const download = page.waitForEvent('download');
  await page.click('#demo-save');
  const saved = (await download).suggestedFilename();
  await page.fill('#demo-seed', 'seven');
  await page.locator('#demo-seed').press('Enter');
  const refusal = await page.locator('[role="status"]').textContent();
  return { differences, isChangedByNew, isChangedBySelection, saved, refusal, facts: await page.locator('#facts').textContent() };
});

if (pictures) {
  for (const [name, options] of Object.entries({ light: {}, dark: { colorScheme: 'dark' }, narrow: { viewport: { width: 400, height: 800 } } })) {
    await browse(folder, async page => {
      await page.goto(site);
      await drawn(page);
      await page.screenshot({ path: join(pictures, `demo-${name}.png`), fullPage: true });
    }, options);
  }
}
console.log(JSON.stringify(result));
