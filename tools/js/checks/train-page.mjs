// Trains on the page that build.mjs made, in headless Chromium, and prints what it showed. node checks/train-page.mjs SITE [options]
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { browse, site } from './browser.mjs';

const text = { type: 'string' }, flag = { type: 'boolean' };
const { values, positionals: [folder] } = parseArgs({
  allowPositionals: true,
  // choose: an artifacts folder for the page's own chooser. refused: it must not open. pause: press the button after that many steps.
  // save: where the generator's download goes. shots: beginning of the names of two screenshots.
  options: { steps: { ...text, default: '20' }, every: { ...text, default: '10' }, vector: text, choose: text, refused: flag, pause: text, save: text, shots: text },
});

/** Waits for a state of the page; a failure that it shows ends the check. The page's own policy forbids what Playwright's waitForFunction does. */
async function until(page, done) {
  for (let waited = 0; waited < 300_000; waited += 50) {
    const shown = await page.evaluate(() => ({ state: window.training?.state, steps: window.training?.steps.length, sampled: window.training?.before !== null }));
    if (shown.state === 'failed' && !values.refused)
      throw new Error(`the page said: ${await page.locator('#status').textContent()}`);
    if (done(shown))
      return;
    await page.waitForTimeout(50);
  }
  throw new Error(`the page did not come to it in five minutes: ${done}`);
}

const result = await browse(folder, async page => {
  await page.goto(site);
  if (values.choose) {
    await until(page, s => s.state === 'waiting');
    await page.locator('#folder').setInputFiles(values.choose);
  }
  if (values.refused) {
    await until(page, s => s.state === 'failed');
    return { message: await page.locator('#status').textContent() };
  }
  await until(page, s => s.state === 'rested' && s.sampled);
  if (values.vector)
    await page.locator('#vector').selectOption(values.vector);
  await page.locator('#steps').fill(values.steps);
  await page.locator('#every').fill(values.every);
  await page.locator('#run').click();
  if (values.pause) {
    await until(page, s => s.steps >= Number(values.pause));
    await page.locator('#run').click();
  }
  await until(page, s => s.state === 'rested');
  if (values.save) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
    await download.saveAs(values.save);
  }
  // The last step is on the screen a frame later.
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
  for (const colorScheme of values.shots ? ['light', 'dark'] : []) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
    await page.screenshot({ path: `${values.shots}-${colorScheme}.png`, fullPage: true });
  }
  const picture = async id => createHash('sha256').update(await page.locator(id).evaluate(canvas => canvas.toDataURL())).digest('hex');
  return {
    ...await page.evaluate(() => {
      const { steps, before, now, sampledAt } = window.training;
      return { steps, before: before && [...before.data], now: now && [...now.data], sampledAt, shownStep: document.querySelector('#iteration').textContent };
    }),
    pictureBefore: await picture('#before'),
    pictureNow: await picture('#now'),
  };
}, { viewport: { width: 1100, height: 900 } });

console.log(JSON.stringify(result));
