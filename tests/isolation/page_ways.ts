// The ways by which a page may make its browser go somewhere, as expressions of JavaScript: `url`
// is where to, and `add` puts an element on the page and waits until it has loaded or failed.

type Ways = Record<string, string>;

/** The place at the public site from which a visitor is led to `url`. */
const from = (kind: string) => `'/${kind}?' + encodeURIComponent(url)`;

/** Each of these arrives, if nothing holds it. */
export const ways: Ways = {
  fetch: `fetch(url, { mode: 'no-cors' })`,
  'fetch with a body': `fetch(url, { method: 'POST', mode: 'no-cors', body: 'x' })`,
  'fetch, asking first': `fetch(url, { headers: { 'x-canary': '1' } })`,
  'fetch by TLS': `fetch(url.replace('http:', 'https:'), { mode: 'no-cors' })`,
  XMLHttpRequest: `new Promise((done) => {
    const request = new XMLHttpRequest();
    request.onloadend = done;
    request.open('GET', url);
    request.send();
  })`,
  beacon: `navigator.sendBeacon(url, 'x')`,
  'event source': `new Promise((done) => {
    const source = new EventSource(url);
    source.onerror = () => done(source.close());
  })`,
  WebSocket: `new Promise((done) => (new WebSocket(url.replace('http', 'ws')).onclose = done))`,
  'WebSocket by TLS': `new Promise((done) => {
    new WebSocket(url.replace('http', 'wss')).onclose = done;
  })`,
  image: `add('img', { src: url })`,
  script: `add('script', { src: url })`,
  module: `import(url)`,
  'style sheet': `add('link', { rel: 'stylesheet', href: url })`,
  background: `add('p', { style: 'background: url(' + url + ')' }, 0)`,
  font: `new FontFace('canary', 'url(' + url + ')').load()`,
  frame: `add('iframe', { src: url })`,
  object: `add('object', { data: url })`,
  embed: `add('embed', { src: url })`,
  video: `add('video', { src: url })`,
  prefetch: `add('link', { rel: 'prefetch', href: url })`,
  preload: `add('link', { rel: 'preload', as: 'fetch', href: url, crossOrigin: '' })`,
  download: `add('iframe', {}, 0).then((frame) => {
    const link = frame.contentDocument.createElement('a');
    Object.assign(link, { href: url, download: 'planted' }).click();
  })`,
  form: `add('iframe', { name: url }, 0).then(() => {
    const form = Object.assign(document.createElement('form'), { action: url, target: url });
    document.body.append(form);
    form.submit();
  })`,
  'script of a worker': `new Promise((done) => {
    const code = 'try { importScripts("' + url + '") } catch {} postMessage(0)';
    new Worker(blob(code)).onmessage = done;
  })`,
  'fetch of a worker': `new Promise((done) => {
    const fetching = 'fetch("' + url + '", { mode: "no-cors" })';
    const code = fetching + '.catch(() => {}).then(() => postMessage(0))';
    new Worker(blob(code)).onmessage = done;
  })`,
  'policy report': `add('iframe', { src: ${from('report')} })`,
  'preload by header': `add('iframe', { src: ${from('links')} })`,
  'redirect (301)': `fetch(${from('redirect/301')}, { mode: 'no-cors' })`,
  'redirect (302)': `fetch(${from('redirect/302')}, { mode: 'no-cors' })`,
  'redirect (307)': `fetch(${from('redirect/307')}, { mode: 'no-cors' })`,
  'redirect (308)': `fetch(${from('redirect/308')}, { mode: 'no-cors' })`,
  'redirect of a frame (301)': `add('iframe', { src: ${from('redirect/301')} })`,
  'redirect of a frame (302)': `add('iframe', { src: ${from('redirect/302')} })`,
  'redirect of a frame (307)': `add('iframe', { src: ${from('redirect/307')} })`,
  'redirect of an image': `add('img', { src: ${from('redirect/302')} })`,
  'meta refresh': `add('iframe', { src: ${from('refresh')} })`,
  'refresh by header': `add('iframe', { src: ${from('refresh-header')} })`,
};

/** The same, on a page that counts as trustworthy. */
export const trustedWays: Ways = {
  'fetch of a service worker': `navigator.serviceWorker.register('/worker').then(async () => {
    const { active } = await navigator.serviceWorker.ready;
    const channel = new MessageChannel();
    const isOver = new Promise((done) => (channel.port1.onmessage = done));
    active.postMessage(url, [channel.port2]);
    await isOver;
  })`,
};

const turn = (scheme: string, more: string) =>
  `connectBy({ urls: '${scheme}:' + new URL(url).host${more}, username: 'a', credential: 'b' })`;

/** Headless shells can't call. */
export const callWays: Ways = {
  'TURN over TCP': turn('turn', ` + '?transport=tcp'`),
  'TURN by TLS': turn('turns', ` + '?transport=tcp'`),
};

/** Headless shells don't do that. */
export const eagerWays: Ways = {
  preconnect: `add('link', { rel: 'preconnect', href: url.replace('http:', 'https:') }, 0)`,
};

/** A proxy has no way for these, so that they lead nowhere at all. */
export const silentWays: Ways = {
  STUN: `connectBy({ urls: 'stun:' + new URL(url).host })`,
  'TURN over UDP': turn('turn', ''),
  WebTransport: `new WebTransport(url.replace('http:', 'https:')).ready`,
};

const library = `
  const patience = () => new Promise((done) => setTimeout(done, patienceMs));
  const add = (tag, { style, ...rest }, limitMs = patienceMs) => new Promise((done) => {
    const element = Object.assign(document.createElement(tag), rest);
    element.onload = element.onerror = () => done(element);
    if (style) element.style = style;
    document.body.append(element);
    setTimeout(done, limitMs, element);
  });
  const blob = (code) => URL.createObjectURL(new Blob([code]));
  const call = (iceServer) => new Promise(async (done) => {
    const connection = new RTCPeerConnection({ iceServers: [iceServer] });
    (globalThis.kept ??= []).push(connection);
    connection.createDataChannel('canary');
    connection.onicegatheringstatechange = () =>
      connection.iceGatheringState === 'complete' && done(true);
    await connection.setLocalDescription();
    setTimeout(done, patienceMs / 3);
  });
  const connectBy = async (iceServer) => {
    // The first calls of a browser may hang until others follow.
    for (let tries = 0; tries < 3 && !(await call(iceServer)); ++tries);
  };`;

/** The expression that goes that way to all the addresses at once, and waits for the end of it. */
export function going(way: string, urls: string[], patienceMs = 2_000): string {
  return `(async () => {
    const patienceMs = ${patienceMs};
    ${library}
    const go = async (url) => ${way};
    const ways = ${JSON.stringify(urls)}.map((url) => Promise.race([go(url), patience()]));
    return (await Promise.allSettled(ways)).map(({ reason }) => String(reason));
  })()`;
}
