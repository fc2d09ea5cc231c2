import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { askBundler, bundled } from './processes.ts';

/** The errors that the bundler gives for a task; fails where it gives none. */
async function errorsOf(code: string) {
  const { answer, exitCode, stderr } = await askBundler(code);
  assert.deepEqual({ ok: answer.ok, exitCode, stderr }, { ok: false, exitCode: 0, stderr: '' });
  return answer.errors;
}

describe('a task that is right', () => {
  test('becomes one ES module whose map leads to its TypeScript', async () => {
    const { answer, stdout, stderr, exitCode } = await askBundler(
      'export default async (): Promise<number> => 1;',
      'web-scraper',
    );
    assert.deepEqual({ ok: answer.ok, stderr, exitCode }, { ok: true, stderr: '', exitCode: 0 });
    assert.equal(stdout.indexOf('\n'), stdout.length - 1, 'the answer is one line');
    const [module, map] = answer.code.split('//# sourceMappingURL=data:application/json;base64,');
    assert.match(module!, /as default/);
    const { sources, sourcesContent } = JSON.parse(Buffer.from(map!, 'base64').toString());
    assert.deepEqual(sources, ['web-scraper.ts']);
    assert.equal(sourcesContent, undefined, 'the source is kept elsewhere');
  });

  test('may use what is TypeScript and not only types: enums, namespaces', async () => {
    const code = await bundled(`
      enum Color { red = 'RED' }
      namespace Shapes { export const sides = 4; }
      export default async () => [Color.red, Shapes.sides];`);
    assert.match(code, /RED/);
  });

  test('may wait at its top level, and take types from files that are not there', async () => {
    await bundled(`
      import type { Page } from './types';
      const page = await Promise.resolve<Page | null>(null);
      export default async () => page;`);
  });

  for (const specifier of [
    'anchorbrowser',
    'anchorbrowser/core/error',
    'playwright',
    'playwright/test',
    'playwright-core',
    'zod',
    'zod/v3',
    'zod/v4',
    'node:fs',
    'fs/promises',
    'node:test',
  ]) {
    test(`may import ${specifier}`, async () => {
      const code = await bundled(`import * as it from '${specifier}'; export default () => it;`);
      assert.ok(code.includes(`from "${specifier}"`), code);
    });
  }

  for (const specifier of ['anchorbrowser', 'playwright', 'playwright-core', 'zod', 'node:fs']) {
    test(`may require ${specifier}`, async () => {
      const code = await bundled(`const it = require('${specifier}'); export default () => it;`);
      assert.ok(code.includes(`require("${specifier}")`), code);
    });
  }
});

describe('a task that is wrong', () => {
  test('is told the line and the column of a syntax error', async () => {
    const [error, ...others] = await errorsOf('export default async () => {\n  const a = ;\n};');
    const text = '  const a = ;';
    assert.deepEqual(error, { message: 'Unexpected ";"', line: 2, column: 13, text });
    assert.deepEqual(others, []);
  });

  test('gets columns in UTF-16 units', async () => {
    const text = '/* é😀 */ const a = ;';
    const [error] = await errorsOf(`${text}\nexport default 1`);
    assert.equal(error!.column, text.indexOf(';') + 1);
  });

  test('is not sent back a line without end', async () => {
    const [error] = await errorsOf(`const a = "${'x'.repeat(100_000)}" ;;; const b = ;`);
    assert.equal(error!.line, 1);
    assert.equal(error!.text.length, 500);
  });

  test('hears of several errors at once, but not of hundreds', async () => {
    const imports = (count: number) =>
      Array.from({ length: count }, (_, i) => `import 'unknown-${i}';`).join('\n');
    const lines = (await errorsOf(imports(3))).map((error) => error.line);
    assert.deepEqual(lines, [1, 2, 3]);
    assert.equal((await errorsOf(imports(300))).length, 10);
  });

  for (const code of [
    'export const run = async () => 1;',
    '',
    'export default interface Options { a: number }',
  ]) {
    test(`is told that a default export is missing: ${code || '(empty)'}`, async () => {
      assert.deepEqual(await errorsOf(code), [
        {
          message: 'A task needs a default export. Write: export default async () => { ... }',
          line: 1,
          column: 1,
          text: code,
        },
      ]);
    });
  }

  for (const statement of [
    `import it from 'lodash';`,
    `import it from './helper';`,
    `import it from './helper.ts';`,
    `import it from '/etc/passwd';`,
    `import it from 'file:///etc/passwd';`,
    `import it from 'https://example.com/it.js';`,
    `import it from 'data:text/javascript,1';`,
    `import it from '#internal';`,
    `import it from 'esbuild';`,
    `import it from 'zod/v9';`,
    `import it from 'zod/v4/locales/nowhere.js';`,
    `import it from 'zod/../esbuild';`,
    `import it from 'playwright/lib/../../esbuild';`,
    `import it from 'node:nonsense';`,
    `export * from 'lodash';`,
    `const it = await import('lodash');`,
    `const it = require('lodash');`,
    `const it = require('zod/v9');`,
  ]) {
    test(`may not do this: ${statement}`, async () => {
      const use = statement.includes(' it ') ? 'it' : '1'; // an import without use may be a type
      const [error, ...others] = await errorsOf(`\n${statement}\nexport default () => ${use};`);
      const specifier = /'(.*)'/.exec(statement)![1];
      assert.deepEqual(others, []);
      assert.equal(
        error!.message,
        `Cannot import "${specifier}": a task is a single file and can import anchorbrowser, ` +
          "playwright, playwright-core, zod and Node's own modules (node:crypto, node:fs, ...).",
      );
      assert.deepEqual(
        { line: error!.line, column: error!.column, text: error!.text },
        { line: 2, column: statement.indexOf("'") + 1, text: statement },
      );
    });
  }
});
