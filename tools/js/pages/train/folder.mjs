// A folder that the visitor chose or dropped, as files by name.

/** @param {FileList} list Of an input for folders. */
export function chosen(list) {
  return new Map([...list].map(file => [file.name, file]));
}

/**
 * @param {DataTransfer} transfer Of a drop: a folder, or files.
 * @returns {Promise<Map<string, File>>}
 */
export async function dropped(transfer) {
  // Before the first await: afterwards the transfer is empty.
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry()).filter(entry => entry !== null), files = new Map();
  for (const entry of entries)
    await collect(entry, files);
  return files;
}

async function collect(entry, files) {
  if (entry.isFile) {
    files.set(entry.name, await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  // A reader hands out a hundred entries at a time.
  for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length > 0;) {
    for (const inner of some)
      await collect(inner, files);
  }
}
