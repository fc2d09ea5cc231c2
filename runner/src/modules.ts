/** Which modules a task may import. */
import { isBuiltin } from 'node:module';

const packages = ['anchorbrowser', 'playwright', 'playwright-core', 'zod'];

/** Whether it is Node's own or in one of the packages, be it something that these export or not. */
export function isOffered(specifier: string): boolean {
  const packageName = specifier.split('/', 1)[0] ?? '';
  return isBuiltin(specifier) || packages.includes(packageName);
}

export function refusal(specifier: string): string {
  return (
    `Cannot import "${specifier}": a task is a single file and can import ${packages.join(', ')}` +
    " and Node's own modules (node:crypto, node:fs, ...)."
  );
}
