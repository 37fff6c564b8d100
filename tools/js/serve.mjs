// Shows a folder to this machine's browsers: node serve.mjs FOLDER [PORT]
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' };

const [folder, port = '8080'] = process.argv.slice(2);
if (!folder || !existsSync(join(folder, 'index.html')) || !/^\d{1,5}$/.test(port)) {
  console.error(`node serve.mjs FOLDER [PORT]: expected a folder with an index.html${folder ? `, found '${folder}'` : ''}, and a port number. Make one with build.mjs.`);
  process.exit(2);
}

const server = createServer(async (request, response) => {
  try {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    // normalize() takes the dots out of an absolute path, so nothing above the folder is shown.
    const file = join(folder, normalize(path.endsWith('/') ? `${path}index.html` : path));
    const content = await readFile(file);
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(content);
  } catch {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
  }
});
server.on('error', error => {
  console.error(`Port ${port} cannot be used: ${error.message}`);
  process.exitCode = 1;
});
server.listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
