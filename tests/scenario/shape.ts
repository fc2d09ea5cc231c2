// What an answer should look like, written as it looks: an object with these fields and no others,
// a text that matches a pattern, a value itself.

/**
 * An optional field's name ends in '?'; without it, beside or instead, the field must be there. An
 * array's one shape is that of each of its items.
 */
export type Shape =
  | string
  | number
  | boolean
  | null
  | RegExp
  | Kind
  | readonly [Shape]
  | { readonly [field: string]: Shape };

/** A kind of value that has no shape of its own. */
export class Kind {
  readonly name: string;
  readonly holds: (value: unknown) => boolean;

  constructor(name: string, holds: (value: unknown) => boolean) {
    this.name = name;
    this.holds = holds;
  }
}

export const text = new Kind('a text', (value) => typeof value === 'string');
export const number = new Kind(
  'a number from 0',
  (value) => typeof value === 'number' && value >= 0,
);
export const flag = new Kind('true or false', (value) => typeof value === 'boolean');
export const anything = new Kind('anything', () => true);
export const fields = new Kind(
  'an object',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);

export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
export const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

/** Either that shape or null. */
export const orNull = (shape: Shape): Kind =>
  new Kind(
    `${describe(shape)} or null`,
    (value) => value === null || problemsOf(shape, value).length === 0,
  );

/** Everything that `value` has against it, each with the path to it; empty when it fits. */
export function problemsOf(shape: Shape, value: unknown, path = 'body'): string[] {
  if (shape instanceof Kind) return shape.holds(value) ? [] : [mismatch(shape, value, path)];
  if (shape instanceof RegExp) {
    const fits = typeof value === 'string' && shape.test(value);
    return fits ? [] : [mismatch(shape, value, path)];
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path} is not an array but ${describe(value)}`];
    return value.flatMap((item, index) => problemsOf(shape[0], item, `${path}[${index}]`));
  }
  if (typeof shape === 'object' && shape !== null) return problemsOfFields(shape, value, path);
  return shape === value ? [] : [mismatch(shape, value, path)];
}

function problemsOfFields(
  shape: { readonly [field: string]: Shape },
  value: unknown,
  path: string,
): string[] {
  if (!fields.holds(value)) return [`${path} is not an object but ${describe(value)}`];
  const left = new Map(Object.entries(value as object));
  const problems: string[] = [];
  for (const [name, inner] of Object.entries(shape)) {
    const field = name.replace(/\?$/, '');
    if (field !== name && field in shape) continue;
    if (left.has(field)) problems.push(...problemsOf(inner, left.get(field), `${path}.${field}`));
    else if (field === name) problems.push(`${path}.${field} is missing`);
    left.delete(field);
  }
  return [...problems, ...[...left.keys()].map((field) => `${path}.${field} is unexpected`)];
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

const mismatch = (shape: Shape, value: unknown, path: string): string =>
  `${path} is ${describe(value)}, not ${describe(shape)}`;

function describe(value: unknown): string {
  if (value instanceof Kind) return value.name;
  if (value instanceof RegExp) return `${value}`;
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > 200 ? `${shown.slice(0, 200)}...` : shown;
}
