// A page of a session, to be driven by Playwright as its users do.
import assert from 'node:assert/strict';
import { type Browser, chromium, type Page } from './packages.ts';
import type { Server } from './server.ts';
import { endSession, openSession } from './sessions.ts';

export type OpenPage = {
  /** Of its session. */
  id: string;
  browser: Browser;
  page: Page;
  /** Ends the session, too. */
  close: () => Promise<void>;
};

/** Opens a session that has what `body` asks for, and connects to its page. */
export async function openPage(server: Server, body: object = {}): Promise<OpenPage> {
  const { id, cdp_url: address } = await openSession(server, { body });
  const browser = await chromium.connectOverCDP(address);
  const page = browser.contexts()[0]?.pages()[0];
  assert.ok(page, 'there is one page from the start');
  const close = async (): Promise<void> => {
    await browser.close();
    await endSession(server, id);
  };
  return { id, browser, page, close };
}
