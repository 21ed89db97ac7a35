// What the page can do beyond links: an equation lights its lines of code, a footnote opens in place, a print is whole.

const wide = matchMedia("(min-width: 80em)");
const names = (element) => (element?.dataset.eq ?? "").split(" ").filter(Boolean);

/** Light everything that belongs to the same equations as an element; without one, nothing. */
function light(element) {
  const wanted = new Set(names(element));
  for (const tied of document.querySelectorAll("[data-eq]")) {
    tied.classList.toggle("lit", names(tied).some((name) => wanted.has(name)));
  }
}

const tied = (event) => event.target.closest?.("[data-eq]") ?? null;
let lit = null;
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const now = tied(event);
    if (now !== lit) light((lit = now));
  });
}

/** Say whether all of an element can be seen below the header. */
function seen(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return top > 60 && bottom < innerHeight;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".eq-code a, .eq-ref, .footnote-ref");
  const target = link?.hash && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!link.matches(".footnote-ref")) {
    light((lit = target.closest("[data-eq]")));
    if (seen(target)) event.preventDefault(); // both are in view: nothing need move
    return;
  }
  const note = link.parentElement.nextElementSibling;
  if (!note?.matches(".sidenote")) return;
  event.preventDefault();
  if (wide.matches) return; // it stands beside the line
  link.setAttribute("aria-expanded", note.classList.toggle("open"));
});

// The buttons at a block of code stand in a `nav` each; that is no part of the page that one would look for by name.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) if (node.matches?.(".md-code__nav")) node.setAttribute("role", "none");
  }
}).observe(document.querySelector(".md-content") ?? document.body, { childList: true, subtree: true });

// On paper all answers are open, also where the browser cannot be told so by the style sheet.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("article details:not([open])")];
  for (const details of opened) details.open = true;
  document.documentElement.style.setProperty("--address", JSON.stringify(location.origin + location.pathname));
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
