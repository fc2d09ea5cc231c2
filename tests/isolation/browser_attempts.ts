// The ways by which somebody who drives a browser may try to reach the machine. What gets through
// returns something true; what is held returns something false or throws.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Server } from '../support/server.ts';
import type { Canaries } from './canaries.ts';
import type { Driver } from './driver.ts';
import { secret } from './places.ts';

export type Scene = {
  driver: Driver;
  canaries: Canaries;
  server: Server;
  /** The profile of another session's browser. */
  others: string;
};
type Attempt = (scene: Scene) => Promise<unknown>;

const file = (place: string) => `file://${place}`;
const shows = (place: (scene: Scene) => string, words: (scene: Scene) => string): Attempt => {
  return async (scene) => (await scene.driver.textAt(place(scene))).includes(words(scene));
};
const word = ({ canaries }: Scene) => canaries.targets.word;
const canary = ({ canaries }: Scene) => canaries.targets.file;
const dataFile = (name: string) => (scene: Scene) => file(path.join(scene.server.dataDir, name));
const proc = (name: string) => (scene: Scene) => file(`/proc/${scene.server.pid}/${name}`);

/** Whether a canary was touched by what `attempt` does, which may fail as it likes. */
function touches({ canaries }: Scene, attempt: () => Promise<unknown>): Promise<boolean> {
  const before = canaries.hits.length;
  return attempt().then(
    () => canaries.hits.length > before,
    (error) => {
      if (canaries.hits.length > before) return true;
      throw error;
    },
  );
}

export const attempts: Record<string, Attempt> = {
  'open a file': shows((scene) => file(canary(scene)), word),
  'open it as source': shows((scene) => `view-source:${file(canary(scene))}`, word),
  'open it by climbing': shows((scene) => file(`/tmp/${'%2e%2e/'.repeat(20)}${canary(scene)}`), word),
  'open it through the root of a process': shows(
    (scene) => file(`/proc/self/root${canary(scene)}`),
    word,
  ),
  'open it in a frame': async (scene) => {
    const { driver } = scene;
    const page = await driver.newPage();
    await driver.navigate(page, file('/usr/share/'));
    const framed = `new Promise((loaded) => {
      const frame = document.createElement('iframe');
      frame.src = '${file(canary(scene))}';
      frame.onload = loaded;
      document.body.append(frame);
    })`;
    await driver.evaluate(`${framed}.then(() => 'loaded')`, page);
    return (await driver.textsOfFrames(page)).join().includes(word(scene));
  },
  'fetch it from a page of a file': async (scene) => {
    const page = await scene.driver.newPage();
    await scene.driver.navigate(page, file('/usr/share/'));
    const fetched = `fetch('${file(canary(scene))}').then((answer) => answer.text())`;
    return (await scene.driver.evaluate(fetched, page)).includes(word(scene));
  },
  'list a folder': shows((scene) => file(`${scene.canaries.targets.folder}/`), () => 'socket'),
  'load it as a resource': async (scene) => {
    const { driver } = scene;
    const page = await driver.newPage();
    await driver.navigate(page, file('/usr/share/'));
    const { frameTree } = await driver.client.call('Page.getFrameTree', {}, page);
    const options = { disableCache: true, includeCredentials: false };
    const params = { frameId: frameTree.frame.id, url: file(canary(scene)), options };
    const { resource } = await driver.client.call('Network.loadNetworkResource', params, page);
    if (!resource.success) throw new Error(resource.netErrorName);
    const { data } = await driver.client.call('IO.read', { handle: resource.stream }, page);
    return data.includes(word(scene));
  },
  'have it in a form': async (scene) => {
    const { driver } = scene;
    const page = await driver.newPage();
    await driver.evaluate(`document.body.innerHTML = '<input type="file">'`, page);
    const { root } = await driver.client.call('DOM.getDocument', {}, page);
    const query = { nodeId: root.nodeId, selector: 'input' };
    const { nodeId } = await driver.client.call('DOM.querySelector', query, page);
    await driver.client.call('DOM.setFileInputFiles', { nodeId, files: [canary(scene)] }, page);
    const text = `document.querySelector('input').files[0].text()`;
    return (await driver.evaluate(text, page)).includes(word(scene));
  },
  'download into a folder of the machine': async ({ driver, canaries }) => {
    const settings = { behavior: 'allow', downloadPath: canaries.targets.folder, eventsEnabled: true };
    await driver.client.call('Browser.setDownloadBehavior', settings);
    const page = await driver.newPage();
    const click = `Object.assign(document.createElement('a'),
      { href: 'data:application/octet-stream,planted', download: 'planted' }).click()`;
    const isOver = driver.nextDownload();
    await driver.evaluate(click, page);
    await isOver;
    return canaries.changes().length > 0;
  },

  'open the database': shows(dataFile('capstan.db'), () => 'SQLite'),
  'open the first key': shows(dataFile('api-key'), ({ server }) => server.key),
  'open the operator token': shows(dataFile('operator.json'), () => 'token'),
  "open the machine's list of users": shows(() => file('/etc/passwd'), () => 'root:'),
  'open /etc/shadow': shows(() => file('/etc/shadow'), () => 'root:'),
  "open the server's command line": shows(proc('cmdline'), () => 'serve'),
  "open the server's environment": shows(proc('environ'), () => secret),
  "read another session's profile": shows(
    ({ others }) => file(`${others}/Local State`),
    () => 'profile',
  ),
  'load an extension of the machine': async ({ driver, canaries }) =>
    (await driver.client.call('Extensions.loadUnpacked', { path: canaries.targets.folder })).id,

  'reach the machine by its own proxy': (scene) =>
    touches(scene, () => scene.driver.textAt(`http://127.0.0.1:${scene.canaries.targets.tcp}/`)),
  "reach the server's main port by its own proxy": shows(
    ({ server }) => `${server.url}/health`,
    () => 'isolation',
  ),
  'reach the machine by a context without proxy': (scene) =>
    touches(scene, async () => {
      const asked = { proxyServer: 'direct://', proxyBypassList: '*' };
      const { browserContextId } = await scene.driver.client.call('Target.createBrowserContext', asked);
      await scene.driver.textAt(`http://127.0.0.1:${scene.canaries.targets.tcp}/`, browserContextId);
    }),
  'reach the machine by a context with a proxy of its own': (scene) =>
    touches(scene, async () => {
      const asked = { proxyServer: `http://127.0.0.1:${scene.canaries.targets.tcp}` };
      const { browserContextId } = await scene.driver.client.call('Target.createBrowserContext', asked);
      await scene.driver.textAt('http://a.test/', browserContextId);
    }),
  'open a port of the machine': async ({ driver }) => {
    const port = await freePort();
    await driver.client.call('Tethering.bind', { port });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    return true;
  },
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
