// Visits one page in a headless Chromium. The order comes as JSON on the input, what was seen goes as JSON to the
// output. Nothing but loopback can be reached: other names do not resolve, and other requests are refused and reported.

import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const order = JSON.parse(await text(process.stdin));
const { chromium } = await import(pathToFileURL(order.playwright).href);

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);
// What a page makes for itself asks nobody.
const LOCAL_SCHEMES = new Set(["data:", "blob:", "about:"]);

function isForeign(address) {
  const url = new URL(address);
  return !LOCAL_SCHEMES.has(url.protocol) && !LOOPBACK.has(url.hostname);
}

const seen = { status: 0, title: "", errors: [], foreignRequests: [], texts: [] };

function watch(page) {
  page.on("console", (message) => {
    if (message.type() === "error") seen.errors.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => seen.errors.push(`exception: ${error.message}`));
  page.on("requestfailed", (request) => {
    // A stream that the page itself ends, by leaving or by reconnecting, is no error.
    const reason = request.failure()?.errorText ?? "unknown";
    const isEnded = reason === "net::ERR_ABORTED";
    if (!isEnded && !isForeign(request.url())) seen.errors.push(`request: ${request.url()} ${reason}`);
  });
  page.on("websocket", (socket) => {
    if (isForeign(socket.url())) seen.foreignRequests.push(socket.url());
  });
}

async function take(page, step) {
  const element = step.selector === undefined ? undefined : page.locator(step.selector).first();
  switch (step.do) {
    case "waitFor":
      return element.waitFor({ state: "visible" });
    case "waitText":
      return page.locator(step.selector).filter({ hasText: step.text }).first().waitFor({ state: "visible" });
    case "click":
      return element.click();
    case "read":
      return void seen.texts.push((await element.innerText()).trim());
    case "screenshot":
      return page.screenshot({ path: step.path, fullPage: true });
    default:
      throw new Error(`unknown step ${step.do}`);
  }
}

const browser = await chromium.launch({
  executablePath: order.chromium,
  // Needed where the test runs as root, as in a container.
  chromiumSandbox: false,
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  ],
});
try {
  const context = await browser.newContext({ viewport: order.viewport, locale: order.locale });
  context.setDefaultTimeout(order.timeoutMs);
  await context.route(isForeignUrl, (route) => {
    seen.foreignRequests.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  watch(page);
  const answer = await page.goto(order.url, { waitUntil: "load" });
  seen.status = answer.status();
  for (const step of order.steps) await take(page, step);
  seen.title = await page.title();
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(seen));

function isForeignUrl(url) {
  return isForeign(url.href);
}
