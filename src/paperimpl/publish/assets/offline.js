/* On the page that stands for one that was not read: what can be read, and the page itself as soon as that can be had. */
(async () => {
  "use strict";
  const list = document.querySelector(".offline-pages");
  const root = new URL(list.dataset.root, location.href);
  const retry = async () => {
    if (navigator.onLine !== false && (await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null))) location.reload();
  };
  addEventListener("online", retry);
  setInterval(retry, 5000); // a browser may say so before the network is there, or not at all
  const pages = new Map();
  for (const name of await caches.keys()) {
    if (!name.startsWith(`${root.pathname} kept `)) continue;
    const cache = await caches.open(name);
    for (const { url } of await cache.keys()) {
      if (!/\/$|\.html$/.test(url) || url.endsWith("/offline.html") || url === root.href) continue;
      const page = new DOMParser().parseFromString(await (await cache.match(url)).text(), "text/html");
      const title = page.querySelector("article h1, main h1")?.cloneNode(true);
      title?.querySelector(".headerlink")?.remove();
      pages.set(url, title?.textContent.trim() || page.title);
    }
  }
  for (const [href, title] of [...pages].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("a"), { href, textContent: title }));
    list.append(item);
  }
  document.querySelector(".offline-none").hidden = pages.size > 0;
})().catch(() => {});
