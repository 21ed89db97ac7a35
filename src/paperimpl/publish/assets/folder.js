/* In a copy of the site that is opened from a folder, before all other scripts. On file:// a browser refuses fetch() and
   modules, so each file that scripts ask for has a twin beside it, NAME.twin.js, a plain script that hands its content
   over. Here fetch() and import() are answered from the twins; all other scripts are the same as on a server. */
(() => {
  "use strict";
  const root = new URL("../../", document.currentScript.src);
  const folder = location.protocol === "file:";
  const twins = new Map(); // address -> promise of {body, parts}
  const modules = new Map(); // address -> promise of an address that import() takes
  const waiting = new Map(); // address -> what a twin gives its content to

  const plain = (address) => Object.assign(new URL(address, document.baseURI), { hash: "", search: "" }).href;

  const twin = (address) => {
    if (!twins.has(address)) {
      const found = new Promise((have, fail) => {
        waiting.set(address, have);
        const script = Object.assign(document.createElement("script"), { src: `${address}.twin.js` });
        script.onload = script.onerror = () => {
          script.remove();
          waiting.delete(address);
          fail(new TypeError(`this folder has no ${decodeURIComponent(address).slice(root.href.length)} to read`)); // unless it came
        };
        document.head.append(script);
      });
      found.catch(() => twins.delete(address));
      twins.set(address, found);
    }
    return twins.get(address);
  };

  const bytes = ({ body, packed }) => (packed ? Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0)) : body);

  const importable = (address) => {
    if (!modules.has(address)) {
      const found = twin(address).then(async ({ body, parts = [] }) => {
        for (const part of parts) {
          const other = await importable(new URL(part.slice(1, -1), address).href);
          body = body.replaceAll(part, () => JSON.stringify(other));
        }
        return URL.createObjectURL(new Blob([`${body}\n//# sourceURL=${address}`], { type: "text/javascript" }));
      });
      found.catch(() => modules.delete(address));
      modules.set(address, found);
    }
    return modules.get(address);
  };

  window.vaultFolder = {
    /** What a twin calls: a text, or bytes in base 64; of a module also what it imports, as it is written there. */
    hand(body, { packed = false, parts } = {}) {
      waiting.get(document.currentScript.src.replace(/\.twin\.js$/, ""))?.({ body, packed, parts });
    },
    /** What stands for `import.meta.url` in the script of this name. */
    url: (own) => new URL(own, root).href,
    /** What stands for `import(name)` in the script of this name. */
    async bring(own, name) {
      const address = new URL(name, new URL(own, root)).href;
      return import(folder && !address.startsWith("blob:") ? await importable(address) : address);
    },
  };

  if (folder) {
    const usual = window.fetch;
    window.fetch = async (asked, ...more) => {
      const address = plain(asked.url ?? asked);
      if (!address.startsWith("file:")) return usual(asked, ...more);
      const found = await twin(address).catch(() => null);
      return found ? new Response(bytes(found)) : new Response(null, { status: 404 });
    };
    const { open } = XMLHttpRequest.prototype; // by which Material asks for the sitemap: a folder needs none
    XMLHttpRequest.prototype.open = function (method, address, ...more) {
      return open.call(this, method, plain(address).startsWith("file:") ? "data:application/xml,<urlset/>" : address, ...more);
    };
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const script of document.querySelectorAll('script[type="folder/module"]')) vaultFolder.bring(script.src, "");
  });
})();
