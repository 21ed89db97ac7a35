/* Previews of links inside the text: by mouse, by keyboard, by a long press. Asks only the site itself. */

const WAIT = { mouse: 350, focus: 600, touch: 500 }; // how long one has to stay on a link, in milliseconds
const pages = new Map(); // address -> promise of the page
let box, link, timer, pressed;

/* The link under a pointer or in focus, if it leads to a page of this site. */
function previewable(target) {
  const a = target.closest?.("article a[href]:not(.headerlink, .tag, .md-content__button, .footnote-backref, nav a, .canvas-leads a, [download])");
  if (!a) return;
  const { origin, pathname, hash } = new URL(a.href);
  const leads = pathname !== location.pathname || hash;
  return origin === location.origin && leads && /\/[^/.]*$|\.html$/.test(pathname) ? a : undefined;
}

function page(address) {
  if (address === location.href.split("#")[0]) return document;
  if (!pages.has(address)) {
    const got = fetch(address).then(async (answer) => {
      if (!answer.ok) throw answer;
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    });
    got.catch(() => pages.delete(address));
    pages.set(address, got);
  }
  return pages.get(address);
}

/* The section or block that a link names, else how the page begins. */
function excerpt(from, url) {
  const article = from.querySelector("article, [role=main], main");
  const title = article.querySelector("h1");
  const place = url.hash && from.getElementById(decodeURIComponent(url.hash.slice(1)));
  const named = place && (place.closest("h1, h2, h3, h4, h5, h6") ?? place);
  let blocks = [];
  if (named && named !== title && /^H\d$/.test(named.tagName)) {
    for (let next = named; next && (next === named || !/^H\d$/.test(next.tagName) || next.tagName > named.tagName); next = next.nextElementSibling) blocks.push(next);
  } else if (named && named !== title) {
    blocks = [named.closest("p, li, dd, td, pre, figure, table, details, div") ?? named];
  } else {
    const within = "p, ul, ol, table, blockquote, aside, nav, form, details, .admonition, header";
    blocks = [...article.querySelectorAll(".paper-idea, p, ul, ol, pre, table, .admonition, blockquote, h2, h3")].filter((block) => block.matches(".paper-idea") || !block.parentElement.closest(within));
  }
  const text = document.createElement("div");
  for (const block of blocks) {
    if (text.textContent.length > 500 || text.childElementCount > 7) break;
    if (block.textContent.trim() || block.querySelector("img, svg")) text.append(document.importNode(block, true));
  }
  for (const gone of text.querySelectorAll("script, style, iframe, object, embed, button, input, .headerlink, .footnote-backref")) gone.remove();
  for (const element of text.querySelectorAll("*")) {
    for (const { name, value } of [...element.attributes]) {
      if (/^(?:id|name|autoplay|on.*)$/.test(name)) element.removeAttribute(name);
      else if (/^(?:href|src)$/.test(name) && !element.closest("svg")) element.setAttribute(name, new URL(value, url).href);
    }
  }
  const name = title?.cloneNode(true);
  name?.querySelector(".headerlink")?.remove();
  return { text, name: name?.textContent.trim() };
}

async function show(a) {
  const url = new URL(a.href);
  const { text, name } = excerpt(await page(url.href.split("#")[0]), url);
  if (link !== a || !text.childElementCount) return;
  box = Object.assign(document.createElement("div"), { className: "preview md-typeset", role: "dialog", ariaLabel: `Preview: ${name}` });
  Object.assign(text, { className: "preview-text", tabIndex: 0 });
  box.append(Object.assign(document.createElement("a"), { className: "preview-title", href: a.href, textContent: name || a.textContent }), text);
  document.body.append(box);
  // Below the link where there is room, else above; never out of the window, and nothing on the page moves.
  const line = a.getClientRects()[0];
  const left = Math.max(8, Math.min(line.left, document.documentElement.clientWidth - box.offsetWidth - 8));
  const below = innerHeight - line.bottom;
  const up = below < box.offsetHeight + 16 && line.top > below;
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${(up ? Math.max(8, line.top - box.offsetHeight - 6) : line.bottom + 6) + scrollY}px`;
}

function hide() {
  clearTimeout(timer);
  box?.remove();
  box = link = undefined;
}

function soon(a, way) {
  clearTimeout(timer);
  if (link === a && box) return;
  hide();
  link = a;
  timer = setTimeout(() => show(a).catch(hide), WAIT[way]);
}

const inside = (node) => box?.contains(node) || link?.contains(node);

const does = {
  pointerover({ target, pointerType }) {
    if (pointerType === "touch") return;
    if (box && inside(target)) return clearTimeout(timer);
    const a = previewable(target);
    if (a) return soon(a, "mouse");
    clearTimeout(timer);
    if (link && !inside(document.activeElement)) timer = setTimeout(hide, 250);
  },
  focusin({ target }) {
    if (inside(target)) return;
    const a = target.matches(":focus-visible") && previewable(target);
    if (a) soon(a, "focus");
    else hide();
  },
  keydown(event) {
    const { key, shiftKey } = event;
    const at = document.activeElement, from = link;
    const stops = box ? [...box.querySelectorAll("a[href], [tabindex]")] : [];
    if (key === "Escape") {
      const within = box?.contains(at);
      hide();
      if (within) back(from);
    } else if (box && key === "Tab" && !shiftKey && at === link) {
      event.preventDefault();
      stops[0].focus();
    } else if (box?.contains(at) && key === "Tab" && at === (shiftKey ? stops[0] : stops.at(-1))) {
      hide();
      back(from); // and Tab goes on from the link
      if (shiftKey) event.preventDefault();
    }
  },
  pointerdown({ target, pointerType, clientX, clientY, timeStamp }) {
    if (!inside(target)) hide();
    const a = pointerType === "touch" && previewable(target);
    pressed = a && { clientX, clientY, timeStamp };
    if (a) soon(a, "touch");
  },
  pointermove({ clientX, clientY }) {
    if (pressed && Math.hypot(clientX - pressed.clientX, clientY - pressed.clientY) > 10) does.pointercancel();
  },
  pointercancel() {
    if (pressed && !box) hide();
    pressed = undefined;
  },
  contextmenu(event) {
    if (pressed) event.preventDefault();
  },
  click(event) {
    if (pressed && event.timeStamp - pressed.timeStamp > WAIT.touch) event.preventDefault();
    else if (!box?.contains(event.target)) hide();
    pressed = undefined;
  },
};

function back(a) {
  a.focus();
  hide();
}

for (const name in does) document.addEventListener(name, does[name], true);
window.document$?.subscribe?.(hide); // Material's instant navigation

export const handle = (event) => does[event.type](event);
