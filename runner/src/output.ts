/** What a task returned, as the JSON text that its caller gets. */
import { inWords } from './failure.ts';

const notJson = 'The returned value cannot be written as JSON';

/** Absent where the task returned nothing. What JSON cannot hold throws, and says why. */
export function outputOf(returned: unknown, bytesMax: number): string | undefined {
  if (returned === undefined) return undefined;
  const output = jsonOf(returned);
  const bytes = Buffer.byteLength(output);
  if (bytes <= bytesMax) return output;
  throw new RangeError(
    `The returned value is ${bytes} bytes of JSON, more than the limit of ${bytesMax} bytes.`,
  );
}

function jsonOf(returned: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(returned);
  } catch (cause) {
    throw new TypeError(`${notJson}: ${inWords(cause)}`, { cause });
  }
  if (json !== undefined) return json;
  throw new TypeError(`${notJson}: JSON.stringify gives nothing for this ${typeof returned}.`);
}
