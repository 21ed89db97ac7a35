/* On every page, and little: brings previews when a link is first pointed at, and the graph when it is about to be seen. */
(() => {
  "use strict";
  if (window.vaultIsHere) return;
  window.vaultIsHere = true;
  const part = (name) => import(new URL(name, own));
  const own = document.currentScript.src;

  const first = ["pointerover", "focusin", "pointerdown"];
  const begin = (event) => {
    if (event.type === "pointerover" && event.pointerType === "touch") return; // the press comes next
    if (!event.target.closest?.("article a[href]")) return;
    for (const name of first) document.removeEventListener(name, begin);
    let over = false; // a finger that scrolls, or is lifted, before the part is there asks for nothing
    for (const name of ["pointercancel", "pointerup"]) document.addEventListener(name, () => (over = true), { once: true });
    part("preview.js").then((preview) => over || preview.handle(event)).catch(() => {});
  };
  for (const name of first) document.addEventListener(name, begin);

  const graphs = () => {
    for (const element of document.querySelectorAll("[data-graph][hidden]")) {
      element.hidden = false;
      const sight = new IntersectionObserver((seen) => {
        if (!seen.some((entry) => entry.isIntersecting)) return;
        sight.disconnect();
        part("graph.js").then((graph) => graph.draw(element)).catch(() => (element.hidden = true));
      }, { rootMargin: "300px" });
      sight.observe(element);
    }
  };
  const tables = () => {
    for (const element of document.querySelectorAll("[data-sortable]")) {
      part("table.js").then((table) => table.enhance(element)).catch(() => {});
    }
  };
  const all = () => { graphs(); tables(); };
  if (window.document$?.subscribe) document$.subscribe(all); // Material's instant navigation
  else all();
})();
