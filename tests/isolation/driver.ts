// Whoever drives a browser, page by page, over the address that its session gave out.
import { DevToolsClient } from '../support/cdp.ts';
import { eventually } from '../support/eventually.ts';

const loadLimitMs = 5_000;

export class Driver {
  readonly client: DevToolsClient;

  static async connect(address: string): Promise<Driver> {
    return new Driver(await DevToolsClient.connect(address));
  }

  private constructor(client: DevToolsClient) {
    this.client = client;
  }

  /** Opens a new page, in that context if it is given, and returns the id of its attachment. */
  async newPage(browserContextId?: string): Promise<string> {
    const target = { url: 'about:blank', browserContextId };
    const { targetId } = await this.client.call('Target.createTarget', target);
    const attachment = { targetId, flatten: true };
    return (await this.client.call('Target.attachToTarget', attachment)).sessionId;
  }

  /** Leads the page there; throws what the browser says if it doesn't get there. */
  async navigate(page: string, url: string): Promise<void> {
    const { errorText } = await this.client.call('Page.navigate', { url }, page);
    if (errorText !== undefined) throw new Error(errorText);
    const isLoaded = async () =>
      (await this.client.evaluate('document.readyState', page)) === 'complete';
    await eventually(`${url} is loaded`, isLoaded, loadLimitMs);
  }

  /** What stands on a new page that shows this address. */
  async textAt(url: string, browserContextId?: string): Promise<string> {
    const page = await this.newPage(browserContextId);
    await this.navigate(page, url);
    return this.client.evaluate('document.documentElement.innerText', page);
  }

  /** The value of an expression in the page; throws what the page throws. */
  async evaluate(expression: string, page: string): Promise<any> {
    const params = { expression, returnByValue: true, awaitPromise: true, userGesture: true };
    const answer = await this.client.call('Runtime.evaluate', params, page);
    if (answer.exceptionDetails !== undefined) {
      const { exception, text } = answer.exceptionDetails;
      throw new Error(exception?.description ?? text);
    }
    return answer.result.value;
  }

  /** Resolves when one download more has come to its end, whichever that is. */
  async nextDownload(): Promise<void> {
    const count = () =>
      this.client.received.filter(
        ({ method, params }) =>
          method === 'Browser.downloadProgress' && /completed|canceled/.test(params.state),
      ).length;
    const before = count();
    await eventually('the download is over', () => count() > before, loadLimitMs);
  }

  /** What stands in the frames of a page, of whatever origin. */
  async textsOfFrames(page: string): Promise<string[]> {
    const { frameTree } = await this.client.call('Page.getFrameTree', {}, page);
    const expression = 'document.documentElement.innerText';
    const texts = [];
    for (const { frame } of frameTree.childFrames ?? []) {
      const world = { frameId: frame.id };
      const made = await this.client.call('Page.createIsolatedWorld', world, page);
      const params = { expression, contextId: made.executionContextId, returnByValue: true };
      texts.push((await this.client.call('Runtime.evaluate', params, page)).result.value);
    }
    return texts;
  }
}
