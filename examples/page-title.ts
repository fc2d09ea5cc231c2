// A Capstan task: opens a web page and returns its title, its text and the number of its words.
//
// A task is one TypeScript module whose default export is an async function. What the function
// returns is the output of the run, as JSON; what it throws is the error of the run; and what it
// prints is the log of the run. It may import anchorbrowser, playwright, zod and all of Node's own
// modules, and it runs in a fresh process each time.
//
// Store it under a name with POST /v1/task, the file as base64 in the field `code`. Then run it by
// that name, as often as you like:
//
//   curl "$CAPSTAN_URL/v1/task/run/page-title" -H "anchor-api-key: $CAPSTAN_API_KEY" \
//     -H 'content-type: application/json' \
//     -d '{"inputs": {"ANCHOR_PAGE_URL": "https://example.com/"}}'
import AnchorBrowser from 'anchorbrowser';

// The inputs of a run are environment variables. They are there before the module is loaded.
const address = process.env.ANCHOR_PAGE_URL;

export default async function pageTitle() {
  if (!address) throw new Error('Say in the input ANCHOR_PAGE_URL which page to open.');

  // Without arguments, the client finds its server and its key in the environment.
  const client = new AnchorBrowser();

  // The run has a session of its own, or the one that its caller handed in. Its browser starts
  // when somebody connects. Where there is no such session, because the module runs on your own
  // machine, it opens one; `create` also takes options of its own.
  const sessionId = process.env.ANCHOR_SESSION_ID;
  const browser = sessionId
    ? await client.browser.connect(sessionId)
    : await client.browser.create();
  try {
    // From here on it is Playwright. A session begins with one window, and one page in it.
    const page = browser.contexts()[0]!.pages()[0]!;
    await page.goto(address);

    const text = await page.locator('body').innerText();
    const words = text.split(/\s+/).filter((word) => word !== '').length;
    console.log(`${address} has ${words} words`);
    return { title: await page.title(), text, words };
  } finally {
    // Ends the connection only. The server ends the run's sessions when the run has ended.
    await browser.close();
  }
}
