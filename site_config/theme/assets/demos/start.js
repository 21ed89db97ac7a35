/* On pages with a demo, and little: a button, which brings the rest. A plain script, so that it can say a word from a folder, too. */
(() => {
  "use strict";
  const own = document.currentScript.src;
  const lacks = [
    ["fetch", "fetching files"], ["AbortController", "stopping a fetch"], ["TextDecoder", "reading bytes as text"], ["CanvasRenderingContext2D", "drawing"],
  ].filter(([name]) => !(name in window)).map(([, words]) => words);
  for (const box of document.querySelectorAll("[data-demo]")) {
    const place = box.querySelector(".demo-start");
    if (!place || place.querySelector(".demo-said")) continue;
    const said = document.createElement("p");
    said.className = "demo-said";
    said.setAttribute("role", "status");
    if (lacks.length) {
      said.textContent = `This browser is too old for the demo: it lacks ${lacks.join(", ")}. The text does without it.`;
      place.append(said);
      continue;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "demo-button";
    const named = (words) => {
      button.textContent = words;
      button.setAttribute("aria-label", `${words}: ${box.querySelector(".demo-title").textContent}`);
    };
    named("Start");
    place.prepend(button);
    place.append(said);
    let loading = null;
    button.addEventListener("click", async () => {
      if (loading) return loading.abort();
      const mine = (loading = new AbortController());
      box.classList.add("demo-on"); // keeps the room that the demo will need
      named("Cancel");
      said.textContent = "Loading …";
      try {
        const cancelled = new Promise((_, no) => mine.signal.addEventListener("abort", () => no(mine.signal.reason)));
        const coming = import(new URL("frame.js", own)).then(({ start }) => start(box, (words) => (said.textContent = words), mine.signal));
        const stage = await Promise.race([coming, cancelled]);
        place.hidden = true;
        box.append(stage);
        const first = stage.querySelector("button, input, select, textarea, [tabindex]");
        if (first) first.focus({ preventScroll: true });
      } catch (wrong) {
        box.classList.remove("demo-on");
        const folder = location.protocol === "file:";
        const stopped = mine.signal.aborted;
        named(stopped ? "Start" : "Try again");
        if (stopped) said.textContent = "Cancelled: nothing is started.";
        else if (folder) said.textContent = "A browser does not load demos from a folder of this kind; `make offline` makes one from which they run.";
        else said.textContent = `The demo could not be loaded: ${(wrong && wrong.message) || wrong}. The text does without it.`;
      }
      loading = null;
      return undefined;
    });
  }
})();
