// What the demo of a page draws against recorded samples.

/** Sets seed, class and count in the demo, waits until it has drawn, and returns the largest difference to what is expected. */
export async function difference(page, { seed, label, count, expected }) {
  await page.evaluate(() => window.onnxDistillDemo.last = null);
  if (await page.locator('#demo-count').inputValue() !== String(count))
    await page.selectOption('#demo-count', String(count));
  if (label !== undefined)
    await page.locator('.demo-classes button').nth(label === null ? 0 : label + 1).click();
  await page.fill('#demo-seed', String(seed));
  await page.locator('#demo-seed').press('Enter');
  await drawn(page, seed);
  const found = await page.evaluate(() => [...window.onnxDistillDemo.last.data]);
  if (found.length !== expected.length)
    throw new Error(`the page drew ${found.length} numbers, expected ${expected.length}`);
  return found.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i])), 0);
}

/** Waits for the samples of a seed (of any, without one). */
export function drawn(page, seed) {
  return page.waitForFunction(wanted => {
    const last = window.onnxDistillDemo?.last;
    return last && (wanted === null || String(last.seed) === wanted);
  }, seed === undefined ? null : String(seed), { timeout: 120000 });
}
