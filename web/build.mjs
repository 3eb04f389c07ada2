// Builds what the node's pages run: the meeting room, `src/main.ts` and all that it needs, as one file, `dist/room.js`; and the
// parameters of an analysis, `src/analysis.ts`, as another, `dist/analysis.js`.
//
//   node build.mjs           both files, which the node's build compiles into the program
//   node build.mjs --tests   the tests beside the sources, as files that Node.js runs
//
// The words are the node's own Fluent files: what the scripts may say is read from the English one, so that a message
// that does not exist, or that takes other arguments, does not compile. No word is written twice.

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const words = path.join(here, '../crates/node/locales/en/room.ftl');

/** The messages of a Fluent file: their names, and the names of their arguments. */
function messages(source) {
  const found = [];
  for (const line of source.split('\n')) {
    const begins = /^([a-z][a-z0-9-]*) =/.exec(line);
    if (begins) found.push({ name: begins[1], text: line });
    else if (/^\s+\S/.test(line) && found.length > 0) found.at(-1).text += `\n${line}`;
  }
  return found.map(({ name, text }) => ({
    name,
    takes: [...new Set([...text.matchAll(/\$([a-zA-Z]+)/g)].map((one) => one[1]))],
  }));
}

const lines = messages(await readFile(words, 'utf8')).map(({ name, takes }) => {
  const shape = takes.map((one) => `${one}: string | number`).join('; ');
  return `  '${name}': ${shape === '' ? 'undefined' : `{ ${shape} }`};`;
});
await writeFile(path.join(here, 'src/messages.ts'), [
  '// Made by build.mjs from locales/en/room.ftl: every message, and what it takes.',
  'export interface Messages {', ...lines, '}', '',
].join('\n'));

await mkdir(path.join(here, 'dist'), { recursive: true });
if (process.argv.includes('--tests')) {
  await rm(path.join(here, 'dist/tests'), { recursive: true, force: true });
  const names = (await readdir(path.join(here, 'src'))).filter((name) => name.endsWith('.test.ts'));
  await build({
    entryPoints: names.map((name) => path.join(here, 'src', name)),
    outdir: path.join(here, 'dist/tests'),
    bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning',
  });
} else {
  await build({
    entryPoints: { room: path.join(here, 'src/main.ts'), analysis: path.join(here, 'src/analysis.ts') },
    outdir: path.join(here, 'dist'),
    bundle: true, minify: true, format: 'esm', target: ['chrome120', 'firefox128', 'safari17'],
    charset: 'utf8', legalComments: 'eof', logLevel: 'warning',
  });
}
