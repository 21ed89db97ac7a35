/* On every page of a site that can be installed: brings the worker that keeps what was read, and says when one is offline. */
(() => {
  "use strict";
  const root = new URL("../../", document.currentScript.src);

  const line = Object.assign(document.createElement("p"), { className: "offline-line" });
  line.setAttribute("role", "status"); // polite, and there before it says anything
  document.body.append(line);
  const say = (words) => (line.textContent = words);

  if (location.protocol === "file:") {
    say("This copy was made for a web server. “make offline” makes one to open from a folder.");
    return;
  }
  const workers = navigator.serviceWorker;
  const tell = () => {
    const kept = workers?.controller ? " What you have read still opens." : "";
    const told = navigator.onLine !== false || document.querySelector(".offline-pages"); // which says it itself
    say(told ? "" : `Offline.${kept}`);
  };
  for (const name of ["online", "offline"]) addEventListener(name, tell);
  tell();

  const before = workers?.controller; // a worker that has seen all of this page
  // What it has not seen: the page that brought it, and figures and scripts that nobody has had use for yet.
  const seen = () => {
    const asked = before ? [] : [location.href, ...performance.getEntriesByType("resource").map(({ name }) => name)];
    const figures = [...document.images].map((image) => image.currentSrc || image.src);
    const scripts = [...document.scripts].map(({ src, dataset }) => src || (dataset.later && new URL(dataset.later, document.baseURI).href));
    return [...new Set([...asked, ...figures, ...scripts])].filter((address) => address?.startsWith(root.href));
  };
  const begin = () => workers.register(new URL("sw.js", root), { scope: root.pathname })
    .then(() => workers.ready)
    .then(({ active }) => active.postMessage({ keep: seen() }))
    .catch(() => {}); // private windows and some settings allow none: the site is then one that needs a network
  if (workers && document.readyState === "complete") begin();
  else if (workers) addEventListener("load", begin);
})();
