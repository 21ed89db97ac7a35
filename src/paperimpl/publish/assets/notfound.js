/* The page for what is not found: make its addresses right wherever the site stands, then search. */
(async () => {
  "use strict";
  if (location.protocol === "file:") return; // opened on purpose: nobody answers with this page there
  const marker = "assets/paperimpl/vault.css";
  const said = document.querySelector(`link[href$="${marker}"]`)?.getAttribute("href").slice(0, -marker.length) ?? "/";
  const parts = location.pathname.split("/").slice(1, -1);
  const roots = [said, ...parts.map((_, n) => `/${parts.slice(0, n + 1).join("/")}/`), "/"];
  let root;
  for (const candidate of new Set(roots)) {
    if ((await fetch(candidate + marker, { method: "HEAD" }).catch(() => null))?.ok) {
      root = candidate;
      break;
    }
  }
  if (root === undefined) return;
  if (root !== said) {
    // The site stands elsewhere than it was built for: mend every address, then start its scripts.
    for (const element of document.querySelectorAll("[href], [src]")) {
      for (const name of ["href", "src"]) {
        const value = element.getAttribute(name);
        if (value?.startsWith(said) && !value.startsWith("//")) element.setAttribute(name, root + value.slice(said.length));
      }
    }
    const settings = document.getElementById("__config");
    if (settings) {
      settings.textContent = settings.textContent.replaceAll(`"${said}`, `"${root}`).replace(/"base":\s*"[^"]*"/, `"base": "${root.replace(/.$/, "") || "/"}"`);
    }
    for (const script of [...document.querySelectorAll("script[src]")]) {
      await new Promise((done) => {
        const again = document.createElement("script");
        again.src = script.getAttribute("src");
        again.onload = again.onerror = done;
        script.replaceWith(again);
      });
    }
  }
  const path = decodeURIComponent(location.pathname).slice(root.length);
  const words = path.replace(/\.html?$|\/index$/g, "").split(/[^\p{L}\p{N}]+/u).filter((word) => word && !/^\d\d?$/.test(word));
  const field = document.querySelector("[data-md-component=search-query]");
  const toggle = document.getElementById("__search");
  const button = document.querySelector(".not-found-search");
  if (!field || !toggle || !words.length) return;
  const search = () => {
    if (!toggle.checked) toggle.click();
    field.value = words.join(" ");
    field.dispatchEvent(new Event("keyup", { bubbles: true }));
    field.focus();
  };
  if (button) {
    button.hidden = false;
    button.textContent = `Search for “${words.join(" ")}”`;
    button.addEventListener("click", search);
  }
  search();
})();
