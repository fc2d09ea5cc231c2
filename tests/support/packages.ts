// The clients under test, as npm delivers them. They are pinned with the runner's own packages, and
// tests/ has no node_modules to find them in by name.
import { createRequire } from 'node:module';
import type * as Playwright from '../../runner/node_modules/playwright-core/index.js';
import type * as Puppeteer from '../../runner/node_modules/puppeteer-core/lib/types.d.ts';

const packages = createRequire(new URL('../../runner/package.json', import.meta.url));

export { default as Anchorbrowser } from '../../runner/node_modules/anchorbrowser/index.mjs';
export const { chromium }: typeof Playwright = packages('playwright-core');
export const puppeteer: typeof Puppeteer.default = packages('puppeteer-core').default;

export type { Browser, FrameLocator, Page } from '../../runner/node_modules/playwright-core/index.js';
