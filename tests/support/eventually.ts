// The one place where tests ask again and again, for what announces itself by no event: another
// process that has gone, a folder that has been removed, a gauge that has fallen.
import { setTimeout as pause } from 'node:timers/promises';

const pauseMs = 50;

/**
 * Asks until the answer is neither false nor undefined, and returns it. Fails after `limitMs` with
 * `what`, which is the sentence that did not come true.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  limitMs: number,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await check();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`Not within ${limitMs} ms: ${what}`);
    await pause(pauseMs);
  }
}

/** Fails when the promise takes longer; for what should settle by itself and might not. */
export async function within<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = pause(limitMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`Not within ${limitMs} ms: ${what}`);
  });
  late.catch(() => {}); // when the other one wins, this one is aborted
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
