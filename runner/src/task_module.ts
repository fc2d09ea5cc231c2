/**
 * Loads a task's bundle as an ES module, from memory. Its imports are resolved as if it stood
 * beside our package.json, so that it gets the instances that the worker has already loaded.
 */
import { createRequire, registerHooks, setSourceMapsSupport } from 'node:module';
import { isOffered, refusal } from './modules.ts';

/** What a task file is called in stack traces. Node maps sources of `scheme://` addresses only. */
export const taskOrigin = 'capstan://task/';

/** Where a task's imports start from. No such file exists. */
const importer = new URL('../task.cjs', import.meta.url).href;

type TaskFunction = (context?: unknown) => unknown;

/** Runs the module's top level, and returns its default export. */
export async function loadTask(name: string, code: string): Promise<TaskFunction> {
  const address = `${taskOrigin}${name}.mjs`;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === address) return { url: address, shortCircuit: true };
      if (context.parentURL !== address && context.parentURL !== importer) {
        return nextResolve(specifier, context);
      }
      if (!isOffered(specifier)) throw new Error(refusal(specifier));
      return nextResolve(specifier, { ...context, parentURL: importer });
    },
    load(url, context, nextLoad) {
      if (url !== address) return nextLoad(url, context);
      return { format: 'module', source: code, shortCircuit: true };
    },
  });
  setSourceMapsSupport(true);
  globalThis.require = createRequire(importer); // where a bundled `require("zod")` looks

  const exported = (await import(address)).default;
  if (typeof exported === 'function') return exported;
  throw new TypeError(
    `The default export of ${name}.ts is not a function.` +
      ' Write: export default async () => { ... }',
  );
}
