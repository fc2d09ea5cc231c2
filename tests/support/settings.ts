// Settings for a test's server, as the text of its configuration file.

export type Settings = Record<string, Record<string, string | number | boolean | string[]>>;

const still: Settings = {
  runs: { warm: 0 },
  browser: { default: 'headless', warm_headful: 0, warm_headless: 0 },
};

/** Browsers are headless and nothing is kept warm, but for what `more` says, section by section. */
export function quiet(more: Settings = {}): string {
  const names = new Set([...Object.keys(still), ...Object.keys(more)]);
  const lines = [...names].flatMap((name) => [
    `[${name}]`,
    // Such values read the same in JSON and in TOML.
    ...Object.entries({ ...still[name], ...more[name] }).map(
      ([key, value]) => `${key} = ${JSON.stringify(value)}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}
