/**
 * Turns a task's TypeScript into the one ES module that a worker loads, or says what is wrong with
 * it. One question on stdin, one answer on stdout, both JSON:
 *
 *     {"name":"page-title","code":"..."}
 *     {"ok":true,"code":"..."} or {"ok":false,"errors":[{"message","line","column","text"}, ...]}
 */
import { existsSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, build, type ImportKind, type Message, type Plugin } from 'esbuild';
import { isOffered, refusal } from './modules.ts';

interface Question {
  name: string;
  code: string;
}

type Answer = { ok: true; code: string } | { ok: false; errors: CodeError[] };

/** Line and column count from 1, the column in UTF-16 units as editors do. */
interface CodeError {
  message: string;
  line: number;
  column: number;
  /** The line itself, or its beginning if it is very long. */
  text: string;
}

const errorsMax = 10;
const lineLengthMax = 500;

const require = createRequire(import.meta.url);

/** Keeps what a task may import as an import, for the worker to resolve, and refuses all else. */
const importsOfTasks: Plugin = {
  name: 'imports-of-tasks',
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (isOffered(path) && exists(path, kind)) return { path, external: true };
      return { errors: [{ text: refusal(path) }] };
    });
  },
};

const question: Question = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await bundle(question)) + '\n');

async function bundle({ name, code }: Question): Promise<Answer> {
  try {
    const { metafile, outputFiles } = await build({
      stdin: { contents: code, sourcefile: `${name}.ts`, loader: 'ts' },
      plugins: [importsOfTasks],
      tsconfigRaw: {}, // instead of one that may lie about in the file system
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      charset: 'utf8',
      sourcemap: 'inline',
      sourcesContent: false,
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    const exported = Object.values(metafile.outputs).flatMap((output) => output.exports);
    if (!exported.includes('default')) return { ok: false, errors: [noDefaultExport(code)] };
    return { ok: true, code: outputFiles.map((file) => file.text).join('') };
  } catch (failure) {
    if (!isBuildFailure(failure)) throw failure;
    return { ok: false, errors: failure.errors.slice(0, errorsMax).map(toCodeError) };
  }
}

/** Whether a package that tasks may import exports this of its paths. */
function exists(specifier: string, kind: ImportKind): boolean {
  if (isBuiltin(specifier)) return true;
  try {
    if (kind === 'require-call') return existsSync(require.resolve(specifier));
    return existsSync(fileURLToPath(import.meta.resolve(specifier)));
  } catch {
    return false;
  }
}

function isBuildFailure(failure: unknown): failure is BuildFailure {
  return failure instanceof Error && 'errors' in failure;
}

/** esbuild counts columns from 0 and in bytes. */
function toCodeError({ text: message, location }: Message): CodeError {
  if (!location) return { message, line: 1, column: 1, text: '' };
  const { line, lineText } = location;
  const before = Buffer.from(lineText).subarray(0, location.column).toString();
  return { message, line, column: before.length + 1, text: lineText.slice(0, lineLengthMax) };
}

function noDefaultExport(code: string): CodeError {
  const message = 'A task needs a default export. Write: export default async () => { ... }';
  const [firstLine = ''] = code.split('\n', 1);
  return { message, line: 1, column: 1, text: firstLine.slice(0, lineLengthMax) };
}
