/* Figures of claims answer: a pointer, a finger or the arrow keys ask for a value, a legend's entries hide their lines.
   A page holds pictures of them; a drawing takes its picture's place when that comes near, or is asked. What dots and
   lines stand for the drawing itself says, in data-... of its groups (lab/figure.py). A classic script, so that it also
   runs in a folder that no host serves. Without it the figure is a picture, with its table below. */
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const NEAR = 28; // units of the drawing, about 37 pixels on a wide screen

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // As vault/result.py prints numbers for prose: three significant digits.
  const number = (value) => {
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e6) return value.toLocaleString("en");
    if (size >= 1e-3 && size < 999.5) return String(Number(value.toPrecision(3)));
    if (size >= 1e-3 && size < 1e6) return Math.round(value).toLocaleString("en");
    const [mantissa, exponent] = value.toExponential(2).split("e");
    const raised = [...String(Number(exponent))].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
    return `${mantissa} × 10${raised.join("")}`;
  };

  const numbers = (text) => (text ?? "").split(" ").filter(Boolean).map(Number);
  const corners = (path) => {
    const found = path?.getAttribute("d").match(/-?[\d.]+/g)?.map(Number) ?? [];
    return Array.from({ length: found.length / 2 }, (_, n) => [found[2 * n], found[2 * n + 1]]);
  };

  // A track is what the left and right keys walk along: the seeds of one number and their mean, or one line.
  const tracks = (panel, say, frame) => {
    const found = new Map();
    const put = (series, order, made) => found.set(series, [...(found.get(series) ?? []), { series, order, ...made }]);
    for (const group of panel.querySelectorAll("[data-series]")) {
      const { series, seed, mean, y, x } = group.dataset;
      const values = numbers(y);
      const who = mean ? `mean of ${mean} seed${mean === "1" ? "" : "s"}` : `seed ${seed}`;
      if (say.panel === "curves") {
        const at = numbers(x ?? say.x);
        const points = corners(group.querySelector("path")).map(([left, top], n) => ({
          left, top, who, group, rows: [[values[n], say.yLabel], [at[n], say.xLabel]],
        }));
        // A line that was cut in drawing has other corners than values, and says nothing rather than something wrong.
        if (points.length === values.length) put(series, mean ? 0 : 1, { group, mean, points });
        continue;
      }
      const rows = (value) => [[value, say.unit || "measured"], ...(mean && say.low ? [[null, interval(say)]] : [])];
      const places = mean
        ? [[corners(group.querySelector("path"))[0]?.[0], (corners(group.querySelector("path"))[0]?.[1] + corners(group.querySelector("path"))[1]?.[1]) / 2]]
        : [...group.querySelectorAll("use")].map((dot) => [Number(dot.getAttribute("x")), Number(dot.getAttribute("y"))]);
      const seeds = (seed ?? "").split(" ");
      const points = places.map(([left, top], n) => ({
        left, top, group, who: mean ? who : `seed ${seeds[n]}`, rows: rows(values[n]),
      }));
      const own = found.get(series)?.[0];
      if (own) own.points.push(...points);
      else put(series, 0, { group, points });
    }
    return [...found.values()].flatMap((lines) => lines.sort((one, other) => one.order - other.order));
  };
  const interval = ({ low, high }) => `95% interval ${number(Number(low))} to ${number(Number(high))}`;

  const read = (svg) =>
    [...svg.querySelectorAll("[data-panel]")].map((panel) => {
      const frame = corners(panel.querySelector("path"));
      const [across, down] = [0, 1].map((side) => frame.map((corner) => corner[side]));
      const box = { left: Math.min(...across), right: Math.max(...across), top: Math.min(...down), bottom: Math.max(...down) };
      return { panel, box, tracks: tracks(panel, panel.dataset, box) };
    });

  /* The drawing that a picture shows. */
  const drawn = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
    const parsed = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
    const svg = parsed.documentElement;
    if (svg.localName !== "svg" || !svg.querySelector("[data-panel]") || parsed.querySelector("parsererror")) throw new Error(`no figure at ${address}`);
    return document.importNode(svg, true);
  };

  const enhance = (box, svg) => {
    const stage = box.querySelector(".figure-stage") ?? make("span", { class: "figure-stage" });
    const readout = make("span", { class: "figure-readout", role: "status", "aria-live": "polite", hidden: "" });
    const keys = make("span", {
      class: "figure-keys", tabindex: "0", role: "application", "aria-roledescription": "figure with values",
      "aria-label": "Values of the figure. Left and right: the next value. Up and down: the next line. Escape leaves.",
    });
    const legend = stage.querySelector(".figure-legend");
    if (!stage.isConnected) {
      svg.replaceWith(stage);
      stage.append(svg);
    }
    stage.querySelector("img")?.replaceWith(svg);
    svg.after(keys, readout);
    // What is in the box takes the focus; where the box has it, not before it is left.
    if (document.activeElement === box) box.addEventListener("blur", () => box.removeAttribute("tabindex"), { once: true });
    else box.removeAttribute("tabindex");
    // The box says in a sentence what the figure is; a title within would cover the readout with the browser's own.
    const [title, words] = [svg.querySelector("title"), svg.querySelector("desc")];
    if (words) svg.setAttribute("aria-labelledby", words.id);
    title?.remove();

    const ring = document.createElementNS(SVG, "circle");
    for (const [key, value] of Object.entries({ r: 4.5, class: "figure-ring", "aria-hidden": "true" })) ring.setAttribute(key, value);
    let panels;
    const all = () => (panels ??= read(svg));
    const off = (track) => track.group.classList.contains("is-off");
    const scale = () => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;

    const hide = () => {
      readout.hidden = true;
      ring.remove();
    };
    const place = (left, top) => {
      const [drawn, staged, seen] = [svg, stage, box].map((element) => element.getBoundingClientRect());
      const x = drawn.left - staged.left + left * scale();
      const y = drawn.top - staged.top + top * scale();
      const least = seen.left - staged.left + 4;
      const most = seen.right - staged.left - readout.offsetWidth - 4;
      const beside = x + 14 <= most ? x + 14 : x - readout.offsetWidth - 14;
      const above = y - readout.offsetHeight - 12;
      readout.style.left = `${Math.max(least, Math.min(most, beside))}px`;
      readout.style.top = `${above >= 2 ? above : Math.min(y + 14, staged.height - readout.offsetHeight - 2)}px`;
    };
    const show = (track, point) => {
      const mark = make("i", { "aria-hidden": "true" });
      const drawn = point.group.querySelector("use, path");
      mark.style.background = drawn.style.fill !== "none" ? drawn.style.fill : drawn.style.stroke;
      const head = make("span", { class: "figure-readout-head" }, mark, make("b", {}, track.series.replaceAll("_", " ")), ` ${point.who}`);
      const rows = point.rows.map(([value, label]) =>
        make("span", {}, ...(value === null ? [] : [make("b", {}, number(value)), " "]), label),
      );
      readout.replaceChildren(head, ...rows.flatMap((row) => [" ", row]));
      readout.hidden = false;
      ring.setAttribute("cx", point.left);
      ring.setAttribute("cy", point.top);
      svg.append(ring);
      place(point.left, point.top);
    };
    const remark = (text, left, top) => {
      ring.remove();
      readout.replaceChildren(text);
      readout.hidden = false;
      place(left, top);
    };

    // Pointers and fingers
    const nearest = (event) => {
      const drawn = svg.getBoundingClientRect();
      const [x, y] = [(event.clientX - drawn.left) / scale(), (event.clientY - drawn.top) / scale()];
      let best, least = NEAR;
      for (const { box: frame, tracks: lines } of all()) {
        if (x < frame.left - 9 || x > frame.right + 9 || y < frame.top - 9 || y > frame.bottom + 9) continue;
        for (const track of lines) {
          if (off(track)) continue;
          for (const point of track.points) {
            const distance = Math.hypot(point.left - x, point.top - y) - (track.mean ? 4 : 0); // a mean before a seed
            if (distance < least) [best, least] = [[track, point], distance];
          }
        }
      }
      return best;
    };
    const answer = (event) => {
      if (event.target.closest(".figure-legend")) return;
      const found = nearest(event);
      if (found) show(...found);
      else if (!keys.matches(":focus")) hide();
    };
    stage.addEventListener("pointermove", (event) => event.pointerType === "mouse" && answer(event));
    stage.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && !keys.matches(":focus") && hide());
    stage.addEventListener("click", answer);
    document.addEventListener("pointerdown", (event) => stage.contains(event.target) || hide());

    // Keys
    let at = [0, 0]; // the track among all that are shown, and the point in it
    const shown = () => all().flatMap((panel, n) => panel.tracks.filter((track) => !off(track)).map((track) => [track, n]));
    const moved = (key) => {
      const lines = shown();
      const here = Math.min(at[0], lines.length - 1);
      const [track, panel] = lines[here];
      const last = track.points.length - 1;
      const now = Math.min(at[1], last);
      const along = (to) => {
        const next = Math.max(0, Math.min(lines.length - 1, to));
        const points = lines[next][0].points;
        const away = points.map((point) => Math.abs(point.left - track.points[now].left));
        return [next, lines[next][1] === panel ? away.indexOf(Math.min(...away)) : 0];
      };
      const first = (number) => lines.findIndex(([, which]) => which === number);
      const ends = [lines[0][1], lines.at(-1)[1]];
      return {
        ArrowLeft: () => [here, Math.max(0, now - 1)],
        ArrowRight: () => [here, Math.min(last, now + 1)],
        ArrowUp: () => along(here - 1),
        ArrowDown: () => along(here + 1),
        PageUp: () => [first(Math.max(ends[0], panel - 1)), 0],
        PageDown: () => [first(Math.min(ends[1], panel + 1)), 0],
        Home: () => [here, 0],
        End: () => [here, last],
        "": () => [here, now],
      }[key]?.();
    };
    const go = (to) => {
      at = to;
      const [track] = shown()[at[0]];
      show(track, track.points[at[1]]);
      const [drawn, seen] = [svg.getBoundingClientRect(), box.getBoundingClientRect()];
      const x = drawn.left + track.points[at[1]].left * scale();
      if (x < seen.left + 8 || x > seen.right - 8) {
        box.scrollLeft += x - (seen.left + seen.right) / 2;
        place(track.points[at[1]].left, track.points[at[1]].top);
      }
      readout.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    keys.addEventListener("focus", () => all().length && keys.matches(":focus-visible") && go(moved("")));
    keys.addEventListener("blur", hide);
    keys.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") return keys.blur();
      const to = moved(event.key);
      if (!to) return;
      event.preventDefault();
      go(to);
    });

    // Legends: the page holds their buttons, for on a phone they take room; over the drawing each is put on its words.
    const entries = () => {
      for (const row of legend?.querySelectorAll(".figure-legend-row") ?? []) {
        const panel = [...svg.querySelectorAll('[data-panel="curves"]')].find(({ dataset }) => dataset.title === row.getAttribute("aria-label"));
        if (!panel) continue;
        const parts = new Map();
        for (const part of panel.querySelectorAll("[data-legend]")) parts.set(part.dataset.legend, [...(parts.get(part.dataset.legend) ?? []), part]);
        const lines = (name) => [...panel.querySelectorAll("[data-series]")].filter((line) => line.dataset.series === name);
        const buttons = new Map();
        const on = (name) => buttons.get(name).getAttribute("aria-pressed") === "true";
        const turn = (name, to) => {
          buttons.get(name).setAttribute("aria-pressed", to);
          for (const line of lines(name)) line.classList.toggle("is-off", !to);
          for (const part of parts.get(name)) part.classList.toggle("is-muted", !to);
        };
        const only = (name) => {
          const alone = [...buttons.keys()].every((other) => on(other) === (other === name));
          for (const other of buttons.keys()) turn(other, alone || other === name);
        };
        for (const button of row.querySelectorAll("button")) {
          const name = button.value;
          const words = parts.get(name);
          if (!words) continue;
          const [boxes, view] = [words.map((part) => part.getBBox()), svg.viewBox.baseVal];
          const left = Math.min(...boxes.map((one) => one.x)) - 4;
          const middle = Math.max(...boxes.map((one) => one.y + one.height / 2));
          const right = Math.max(...boxes.map((one) => one.x + one.width)) + 4;
          const share = { "--left": left / view.width, "--top": (middle - 9) / view.height, "--width": (right - left) / view.width, "--height": 18 / view.height };
          for (const [key, value] of Object.entries(share)) button.style.setProperty(key, `${(100 * value).toFixed(3)}%`);
          button.title = "Hide or show; with Shift, or twice: only this one";
          button.disabled = false;
          button.addEventListener("click", (event) => {
            hide();
            if (event.shiftKey) only(name);
            else if (on(name) && [...buttons.keys()].filter(on).length === 1) remark("One line has to stay.", left, middle);
            else turn(name, !on(name));
          });
          button.addEventListener("dblclick", () => {
            hide();
            only(name);
          });
          buttons.set(name, button);
        }
      }
      const fold = legend?.querySelector(".figure-legend-fold");
      if (!fold) return;
      fold.disabled = false;
      fold.addEventListener("click", () => {
        hide();
        fold.setAttribute("aria-expanded", legend.classList.toggle("is-open"));
      });
    };
    entries();
  };

  // Each box waits until it is near, has a pointer or the focus, or is printed; what fails is tried when asked again.
  const near = window.IntersectionObserver && new IntersectionObserver(
    (seen) => seen.forEach(({ isIntersecting, target }) => isIntersecting && waiting.get(target)?.()), { rootMargin: "600px" },
  );
  const waiting = new Map();
  for (const box of document.querySelectorAll(".claim-figure-box")) {
    let coming = false;
    const come = async () => {
      if (coming) return;
      coming = true;
      try {
        const svg = box.querySelector("svg") ?? (await drawn(box.querySelector("img").src));
        near?.unobserve(box);
        waiting.delete(box);
        if (svg.querySelector("[data-panel]")) enhance(box, svg);
      } catch {
        coming = false; // the picture stays
      }
    };
    waiting.set(box, come);
    for (const kind of ["pointerenter", "focusin"]) box.addEventListener(kind, come);
    if (!near || box.matches(":hover, :focus-within") || box.querySelector("img[loading=eager]")) come(); // eager: for print
    near?.observe(box);
  }
  addEventListener("beforeprint", () => waiting.forEach((come) => come()));
})();
