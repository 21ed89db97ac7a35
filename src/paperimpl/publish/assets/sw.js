/* Keeps what was read. Pages and all that may change come from the network first, so that an update is seen at once;
   what has a hash in its name, and fonts, from the cache first. A new version of the site asks again for all that the
   old one kept (the server says of most: not modified), and only then takes its place. */
const VERSION = "{version}";
const SHELL = {shell}; // what the page for what was not read needs, and the home page
const BUILT = "{root}"; // where that page's addresses begin
const PATIENCE = 4000; // ms that a page may take before the copy is shown, if there is one
const scope = new URL(self.registration.scope);
const NAME = `${scope.pathname} kept `;
const FIXED = /\.[0-9a-f]{8}\.min\.\w+$|\.woff2$/;
const NOT_KEPT = /\.(?:pdf|apkg|gz|map|twin\.js)$|\/sw\.js$/;

const ours = ({ pathname, origin }) => origin === scope.origin && pathname.startsWith(scope.pathname) && !NOT_KEPT.test(pathname);
const plain = (address) => {
  const url = new URL(address);
  url.hash = url.search = "";
  return url.href;
};
const open = () => caches.open(NAME + VERSION);

async function keep(cache, address, answer) {
  if (answer.status === 200 && !answer.redirected) await cache.put(plain(address), answer).catch(() => {}); // no room left: go on
}

/* All that older versions kept. */
async function older() {
  const names = (await caches.keys()).filter((name) => name.startsWith(NAME) && name !== NAME + VERSION);
  return Promise.all(names.map(async (name) => [name, await caches.open(name)]));
}

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await open();
  const wanted = new Set(SHELL.map((name) => new URL(name, scope).href));
  for (const [, old] of await older()) for (const { url } of await old.keys()) wanted.add(url);
  await Promise.all([...wanted].map(async (address) => {
    const answer = await fetch(address, { cache: "no-cache" }); // no network: this version waits for the next visit
    if (answer.status === 404) for (const [, old] of await older()) await old.delete(address);
    await keep(cache, address, answer);
  }));
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const cache = await open();
  for (const [name, old] of await older()) {
    for (const request of await old.keys()) { // what was read while this version was on its way, or could not be had
      if (!(await cache.match(request))) await keep(cache, request.url, await old.match(request));
    }
    await caches.delete(name);
  }
  await self.clients.claim();
})()));

self.addEventListener("message", (event) => event.waitUntil((async () => {
  const cache = await open();
  for (const address of event.data?.keep ?? []) {
    if (!ours(new URL(address)) || (await cache.match(plain(address)))) continue;
    await fetch(address).then((answer) => keep(cache, address, answer)).catch(() => {});
  }
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || request.headers.has("range") || !ours(new URL(request.url))) return;
  event.respondWith(FIXED.test(new URL(request.url).pathname) ? cacheFirst(event) : networkFirst(event));
});

async function asked(event, cache) {
  // A page is asked for anew even where the browser thinks that its own copy will do: an update is seen at once.
  const answer = await fetch(event.request, event.request.mode === "navigate" ? { cache: "no-cache" } : {});
  const copy = answer.clone(); // before the page reads it
  const { url } = event.request;
  const stored = answer.status === 404 ? cache.delete(plain(url)) : keep(cache, url, copy);
  return { answer, stored };
}

async function cacheFirst(event) {
  const cache = await open();
  const copy = await cache.match(plain(event.request.url));
  if (copy) return copy;
  const { answer, stored } = await asked(event, cache);
  event.waitUntil(stored);
  return answer;
}

async function networkFirst(event) {
  const cache = await open();
  const kept = () => cache.match(plain(event.request.url));
  const coming = asked(event, cache);
  event.waitUntil(coming.then(({ stored }) => stored).catch(() => {}));
  const fresh = coming.then(({ answer }) => answer);
  const late = new Promise((have) => setTimeout(have, PATIENCE)).then(kept).then((copy) => copy ?? fresh);
  try {
    return await Promise.race([fresh, late]);
  } catch (wrong) {
    late.catch(() => {});
    const copy = await kept();
    if (copy) return copy;
    if (event.request.mode === "navigate") return unread(cache);
    throw wrong;
  }
}

/* The page that says what can be read. Its addresses begin where the site was built for, which may be elsewhere. */
async function unread(cache) {
  const page = await cache.match(new URL("offline.html", scope).href);
  const text = (await page.text()).replaceAll(`"${BUILT}`, `"${scope.pathname}`);
  return new Response(text, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
