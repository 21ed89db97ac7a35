"""The demos as a reader meets them: nothing before the button, what torch computes after it, a word where it fails."""

import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from paperimpl.vault.paper import Paper

ROOT = Path(__file__).parents[2]
PAGES = {
    "lenet": "01-foundations/lenet/",
    "optimisers": "02-optimization/momentum/",
    "gpt2": "05-transformers/gpt2/",
    "transformer": "05-transformers/transformer/",
    "ddpm": "06-generative/ddpm/",
}
WITH_WEIGHTS = ["lenet", "gpt2", "transformer", "ddpm"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
}"""
every_demo = pytest.mark.parametrize("slug", PAGES)


def manifest(slug):
    return json.loads(Paper.find(slug, ROOT).places["demo.json"].read_text(encoding="utf-8"))


def begun(page, slug):
    """Press the button and wait for the stage."""
    box = page.locator(f"[data-demo={slug}]")
    box.get_by_role("button", name=re.compile("^Start")).click()
    expect(box.locator(".demo-stage")).to_be_visible()
    return box


def computed(page, slug, what):
    """Call one of a demo's own functions, in the page, on the weights that the page loads."""
    return page.evaluate(
        """async ([slug, what]) => {
          const assets = new URL('.', document.querySelector('script[src$="demos/start.js"]').src);
          const { load } = await import(new URL('frame.js', assets));
          const demo = await import(new URL(`${slug}.js`, assets));
          const link = (ending) => document.querySelector(`[data-demo] a[href$=".demo.${ending}"]`).href;
          return demo[what](await load(link('json'), link('bin')));
        }""",
        [slug, what],
    )


@every_demo
def test_nothing_is_fetched_before_the_button_and_all_that_is_promised_after(slug, visit):
    watched = visit(PAGES[slug])
    parts = [url for url in watched.asked if "/demos/" in url and not url.endswith("/start.js")]
    assert parts == [url for url in watched.asked if ".demo." in url] == []
    expect(watched.page.locator(f"[data-demo={slug}] .demo-without")).to_be_hidden()
    said = watched.page.locator(f"[data-demo={slug}] .demo-loads").inner_text()
    promised = int(re.search(r"It takes (\d+) KB", said)[1])
    asked = len(watched.asked)
    begun(watched.page, slug)
    fetched = [url for url in watched.asked[asked:] if "/demos/" in url or ".demo." in url]  # a figure may be near, too
    loaded = sum(len(watched.page.request.get(url).body()) for url in fetched)
    assert promised - 2 < loaded / 1000 < promised + 0.5  # the site cuts style sheets further
    assert watched.strangers == watched.missing == watched.said == []


@pytest.mark.parametrize("slug", WITH_WEIGHTS)
def test_the_browser_computes_what_torch_computed(slug, visit):
    page = visit(PAGES[slug]).page
    found = computed(page, slug, "outputs")
    checks = manifest(slug)["checks"]
    assert len(found) == len(checks) > 0
    for ours, check in zip(found, checks, strict=True):
        assert ours == pytest.approx(check["output"], abs=1e-4)


@pytest.mark.parametrize("slug", WITH_WEIGHTS)
def test_the_browser_and_torch_choose_the_same_failures(slug, visit):
    page = visit(PAGES[slug]).page
    found = computed(page, slug, "failures")
    torchs = manifest(slug)["failures"]
    assert len(torchs) > 0
    for ours, theirs in zip(found, torchs, strict=True):
        sure = theirs.pop("confidence", 0)
        assert {key: ours[key] for key in theirs} == theirs
        assert ours.get("confidence", 0) == pytest.approx(sure, abs=1e-4)


def test_a_digit_that_is_drawn_with_the_mouse_is_read(visit):
    page = visit(PAGES["lenet"], viewport={"width": 1280, "height": 1200}).page
    stage = begun(page, "lenet")
    pad = stage.locator(".demo-pad")
    pad.scroll_into_view_if_needed()
    strokes = {
        "7": [[(70, 70), (130, 68), (205, 70), (180, 120), (150, 170), (130, 220)]],
        "1": [[(140, 50), (138, 120), (136, 230)]],
        "0": [[(140, 60), (90, 90), (75, 150), (95, 205), (145, 225), (190, 200), (205, 145), (185, 85), (140, 60)]],
    }
    for digit, lines in strokes.items():
        stage.get_by_role("button", name="Clear").click()
        expect(stage.locator(".demo-answer")).to_have_text("Draw a digit, or choose one.")
        box = pad.bounding_box()
        scale = box["width"] / 280
        for (x, y), *rest in lines:
            page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
            page.mouse.down()
            for x, y in rest:
                page.mouse.move(box["x"] + x * scale, box["y"] + y * scale, steps=6)
            page.mouse.up()
        expect(stage.locator(".demo-answer strong")).to_have_text(digit)


def test_a_digit_is_read_wherever_and_however_large_it_is_drawn(visit):
    page = visit(PAGES["lenet"]).page
    same = page.evaluate(
        """async () => {
          const start = document.querySelector('script[src$="start.js"]').src;
          const { normalised } = await import(new URL('lenet.js', start));
          const seven = [[10, 10], [60, 10], [30, 90]];
          const moved = seven.map(([x, y]) => [2 * x + 100, 2 * y + 50]);
          const [a, b] = [normalised([seven]), normalised([moved])];
          const mass = a.reduce((s, v) => s + v, 0);
          const place = (i, axis) => (axis ? Math.floor(i / 28) : i % 28);
          const centre = [0, 1].map((axis) => a.reduce((s, v, i) => s + v * place(i, axis), 0) / mass);
          return {apart: Math.max(...a.map((v, i) => Math.abs(v - b[i]))), centre, most: Math.max(...a)};
        }"""
    )
    assert same["apart"] < 30  # of 255: pens are drawn anew
    assert same["centre"] == pytest.approx([13.5, 13.5], abs=0.2)
    assert same["most"] == pytest.approx(255, abs=1)


def test_lenets_test_digits_and_failures_are_chosen_by_keyboard(visit):
    page = visit(PAGES["lenet"]).page
    stage = begun(page, "lenet")
    stage.get_by_role("button", name="a test digit 4").focus()
    page.keyboard.press("Enter")
    expect(stage.locator(".demo-answer strong")).to_have_text("4")
    worst = manifest("lenet")["failures"][0]
    stage.locator(".demo-gallery button").first.focus()
    page.keyboard.press("Enter")
    expect(stage.locator(".demo-answer strong")).to_have_text(str(worst["answer"]))


def descents():
    """Fifty steps of torch's own float64, by the papers' optimisers, on each surface."""
    torch = pytest.importorskip("torch")
    from paperimpl.papers.adagrad import AdaGrad
    from paperimpl.papers.adam import Adam
    from paperimpl.papers.momentum import Momentum

    surfaces = {
        "bowl": lambda x, y: x**2 / 4 + 10 * y**2,
        "valley": lambda x, y: (1 - x) ** 2 + 20 * (y - x**2) ** 2,
        "saddle": lambda x, y: x**2 + y**4 / 4 - y**2,
    }
    makers = {
        "plain": lambda p: Momentum(p, 0.003, 0.0),
        "momentum": lambda p: Momentum(p, 0.003, 0.8),
        "nesterov": lambda p: Momentum(p, 0.003, 0.8, nesterov=True),
        "adagrad": lambda p: AdaGrad(p, 0.07),
        "adam": lambda p: Adam(p, 0.07, betas=(0.8, 0.999)),
    }
    for surface, height in surfaces.items():
        for method, maker in makers.items():
            at = torch.tensor([-1.1, 0.7], dtype=torch.float64, requires_grad=True)
            steps, walked = maker([at]), [at.tolist()]

            def loss(at=at, height=height, steps=steps):
                steps.zero_grad()
                value = height(*at)
                value.backward()
                return value

            for _ in range(50):
                steps.step(loss)
                walked.append(at.tolist())
            yield surface, method, walked


def test_the_optimisers_of_the_browser_walk_as_those_of_the_papers(visit):
    page = visit(PAGES["optimisers"]).page
    for surface, method, walked in descents():
        found = page.evaluate(
            """async ([surface, method]) => {
              const start = document.querySelector('script[src$="start.js"]').src;
              const { path } = await import(new URL('optimisers.js', start));
              return path(method, surface, [-1.1, 0.7], {rate: 0.003, distance: 0.07, momentum: 0.8}, 50);
            }""",
            [surface, method],
        )
        assert len(found) == 51
        for ours, torchs in zip(found, walked, strict=True):
            assert ours == pytest.approx(torchs, abs=1e-9), (surface, method)


def test_a_descent_begins_where_the_surface_is_clicked_and_moves_by_arrow_keys(visit):
    page = visit(PAGES["optimisers"], reduced_motion="reduce").page
    stage = begun(page, "optimisers")
    read = stage.locator(".demo-read")
    expect(read).to_contain_text("after 200 steps from (-3.40, 1.90)")
    canvas = stage.locator("canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    expect(read).to_contain_text(re.compile(r"from \(-(?:2\.0|1\.9)\d, -?0\.0\d\)"))
    before = read.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(read).not_to_have_text(before)
    stage.get_by_role("button", name="Adam", exact=True).click()
    expect(read).not_to_contain_text("Adam ")
    stage.get_by_label("Rate", exact=True).fill("0")
    expect(read).to_contain_text("plain descent far away")


def test_a_text_is_gone_on_with_and_the_next_character_is_weighed(visit):
    page = visit(PAGES["gpt2"]).page
    stage = begun(page, "gpt2")
    text = stage.get_by_role("textbox")
    text.fill("The functio")
    expect(stage.locator(".demo-bars li").first).to_contain_text("n")
    stage.get_by_label("Temperature").fill("0.1")
    stage.get_by_label("Top-p").fill("0.05")
    expect(stage.locator(".demo-bars li").nth(1)).to_contain_text("(")  # cut off
    stage.get_by_role("button", name="Write one").click()
    expect(text).to_have_value("The function")
    stage.get_by_role("button", name="Write 200 characters").click()
    expect(stage.locator(".demo-read")).to_contain_text("Written.")
    assert len(text.input_value()) == len("The function") + 200
    text.fill("naïve 漢")
    expect(stage.locator(".demo-read")).to_contain_text("It does not know ï 漢")


def test_the_cache_of_keys_and_values_changes_nothing_but_the_time(visit):
    page = visit(PAGES["gpt2"]).page
    apart = page.evaluate(
        """async () => {
          const assets = new URL('.', document.querySelector('script[src$="start.js"]').src);
          const { load } = await import(new URL('frame.js', assets));
          const { Reader } = await import(new URL('gpt2.js', assets));
          const link = (ending) => document.querySelector(`[data-demo] a[href$=".demo.${ending}"]`).href;
          const loaded = await load(link('json'), link('bin'));
          const [whole, pieces] = [new Reader(loaded), new Reader(loaded)];
          whole.read('If the object is a class');
          pieces.read('If');
          for (const c of ' the object is a class') pieces.next(c);
          return Math.max(...whole.logits.map((v, i) => Math.abs(v - pieces.logits[i])));
        }"""
    )
    assert apart < 1e-4


def test_digits_are_turned_around_and_sorted_and_each_square_says_its_value(visit):
    page = visit(PAGES["transformer"]).page
    stage = begun(page, "transformer")
    stage.get_by_role("textbox").fill("90817")
    written = stage.locator(".demo-written")
    expect(written).to_contain_text("71809")
    stage.get_by_label("sort").check()
    expect(written).to_contain_text("01789")
    expect(stage.locator(".demo-head")).to_have_count(4)
    expect(stage.locator(".demo-head").first.locator("i")).to_have_count(5 * 6)
    stage.locator(".demo-grid i").nth(7).hover()
    pointed_at = re.compile(r"head 1: writing 1 \(place 2\), it looks at 9 \(place 2\)")
    expect(stage.locator(".demo-read")).to_contain_text(pointed_at)
    page.evaluate("scrollBy(0, 50)")  # another square comes under the pointer, which points at none by that
    page.wait_for_timeout(500)
    expect(stage.locator(".demo-read")).to_contain_text(pointed_at)
    stage.locator(".demo-grid").nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(stage.locator(".demo-read")).to_contain_text("head 2")
    stage.get_by_text("Every number, as tables").click()
    expect(stage.locator("table")).to_have_count(4)


@every_demo
def test_a_demo_fits_a_phone_and_shifts_nothing(slug, visit):
    watched = visit(PAGES[slug], **PHONE)
    page = watched.page
    page.locator(f"[data-demo={slug}]").scroll_into_view_if_needed()
    page.evaluate(SHIFTS)
    box = begun(page, slug)
    page.wait_for_timeout(600)
    assert page.evaluate("shifted") < 0.02
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sides = box.locator(".demo-stage").bounding_box()
    assert 0 <= sides["x"] <= sides["x"] + sides["width"] <= 390
    assert watched.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every_demo
def test_axe_finds_nothing_wrong_with_a_demo(slug, scheme, visit):
    page = visit(PAGES[slug], color_scheme=scheme, reduced_motion="reduce").page
    begun(page, slug)
    found = Axe().run(page, context=f"[data-demo={slug}]")
    assert found.violations_count == 0, found.generate_report()


def walked(stage, steps=5):
    """Choose so few steps that the walk is soon over, and wait for its end."""
    stage.get_by_label(str(steps), exact=True).check()
    expect(stage.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(stage.locator(".demo-way output")).to_have_text("t = 0")
    return stage


def test_a_walk_from_noise_is_gone_through_by_slider_strip_and_step(visit):
    page = visit(PAGES["ddpm"]).page
    stage = walked(begun(page, "ddpm"))
    told, t = stage.locator(".demo-answer"), stage.locator(".demo-way output")
    expect(told).to_contain_text(re.compile(r"\d is what the classifier reads in the digit, and it is [\d.]+% sure"))
    stage.get_by_label("Step", exact=True).fill("2")
    expect(t).to_have_text("t = 60")
    expect(told).to_contain_text("in the guess at t = 60")
    stage.get_by_role("button", name="One step").click()
    expect(t).to_have_text("t = 40")
    stage.get_by_role("button", name="Go to t = 100").click()
    expect(t).to_have_text("t = 100")
    stage.get_by_role("button", name="Play", exact=True).click()
    expect(t).to_have_text("t = 0")
    stage.get_by_role("button", name="Look at seed 3").click()
    expect(stage.get_by_role("button", name="Look at seed 3")).to_have_attribute("aria-pressed", "true")
    stage.get_by_text("The way as a table").click()
    expect(stage.locator("caption")).to_have_text("Seed 3")
    expect(stage.locator("tbody tr")).to_have_count(6)
    stage.get_by_role("button", name="New noise").click()
    expect(stage.get_by_role("button", name="Look at seed 11")).to_be_visible()
    stage.locator(".demo-gallery button").first.click()
    expect(stage.get_by_role("button", name=f"Look at seed {manifest('ddpm')['failures'][0]['seed']}")).to_be_visible()


def test_a_walk_can_be_stopped_and_gone_on_with(visit):
    page = visit(PAGES["ddpm"]).page
    stage = begun(page, "ddpm")
    stage.get_by_label("100", exact=True).check()
    stage.get_by_role("button", name="Stop").click()
    before = stage.locator(".demo-way output").inner_text()
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    assert stage.locator(".demo-way output").inner_text() == before != "t = 0"
    stage.get_by_role("button", name="One step").click()
    expect(stage.locator(".demo-way output")).not_to_have_text(before)
    stage.get_by_role("button", name="Play").click()
    expect(stage.get_by_role("button", name="Stop")).to_be_visible()


@pytest.mark.parametrize(("motion", "steps"), [("reduce", {"t = 100", "t = 0"}), ("no-preference", None)])
def test_a_walk_moves_only_for_those_who_like_motion(motion, steps, visit):
    page = visit(PAGES["ddpm"], reduced_motion=motion).page
    stage = begun(page, "ddpm")
    page.evaluate(
        """() => {
          window.seen = new Set();
          const output = document.querySelector('.demo-way output');
          new MutationObserver(() => seen.add(output.textContent)).observe(output, {childList: true});
        }"""
    )
    walked(stage, 10)
    stage.get_by_role("button", name="Play").click()
    expect(stage.get_by_role("button", name="Play")).to_be_visible()
    expect(stage.locator(".demo-way output")).to_have_text("t = 0")
    seen = set(page.evaluate("[...seen]"))
    assert seen <= steps if steps else len(seen) >= 10


def test_without_fresh_noise_all_walks_end_at_much_the_same_stroke(visit):
    page = visit(PAGES["ddpm"]).page
    ends = page.evaluate(
        """async () => {
          const assets = new URL('.', document.querySelector('script[src$="demos/start.js"]').src);
          const { load } = await import(new URL('frame.js', assets));
          const { Walk, net, noise } = await import(new URL('ddpm.js', assets));
          const link = (ending) => document.querySelector(`[data-demo] a[href$=".demo.${ending}"]`).href;
          const loaded = await load(link('json'), link('bin'));
          const whole = net(loaded.tensors, loaded.manifest.sizes);
          const end = (seed, fresh) => new Walk(loaded, whole, seed, 25, fresh).end();
          const apart = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length;
          const drawn = noise(1, 100, 144);
          return {none: apart(end(1, 'none'), end(2, 'none')), beta: apart(end(1, 'beta'), end(2, 'beta')),
                  mean: drawn.reduce((a, b) => a + b) / 144, width: Math.sqrt(apart(drawn, drawn.map(() => 0)))};
        }"""
    )
    assert 4 * ends["none"] < ends["beta"]
    assert ends["mean"] == pytest.approx(0, abs=0.25)
    assert ends["width"] == pytest.approx(1, abs=0.2)


@pytest.fixture
def breaking():
    """A server that promises 100,000 bytes, sends ten and hangs up."""

    class Hasty(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(b"ten bytes.")

        def log_message(self, *arguments):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hasty)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/lenet.demo.bin"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def answered(answer):
    """A route that answers with a status and a body, or not at all."""
    return lambda route: route.fulfill(status=answer[0], body=answer[1]) if answer else route.abort()


def test_a_demo_says_a_word_when_its_weights_do_not_come_and_can_be_tried_again(visit, breaking):
    page = visit(PAGES["lenet"]).page
    box = page.locator("[data-demo=lenet]")
    said, button, weights = box.locator(".demo-said"), box.get_by_role("button"), "**/*.demo.bin"
    link = box.locator('a[href$=".demo.bin"]')
    right = link.evaluate("(link) => link.href")
    link.evaluate("(link, url) => (link.href = url)", breaking)
    button.click()
    expect(said).to_contain_text("could not be loaded: the connection broke while lenet.demo.bin came")
    link.evaluate("(link, url) => (link.href = url)", right)
    for answer, words in {
        (404, b""): "could not be loaded: lenet.demo.bin was answered with 404",
        (200, b"half of it"): "could not be loaded: the weights have 10 bytes, not",
        None: "could not be loaded: the connection broke while lenet.demo.bin came",
    }.items():
        page.route(weights, answered(answer))
        button.click()
        expect(said).to_contain_text(words)
        expect(button).to_have_text("Try again")
        page.unroute(weights)
    button.click()
    expect(box.locator(".demo-stage")).to_be_visible()


@pytest.mark.parametrize("script", ["frame", "lenet"])
def test_a_demo_says_a_word_when_its_script_does_not_come(script, visit):
    page = visit(PAGES["lenet"]).page
    page.route(f"**/demos/{script}.js", lambda route: route.abort())
    box = page.locator("[data-demo=lenet]")
    box.get_by_role("button").click()
    expect(box.locator(".demo-said")).to_contain_text("could not be loaded")
    expect(box.get_by_role("button")).to_have_text("Try again")


def test_a_demo_says_a_word_when_its_style_does_not_come_and_has_it_when_it_starts(visit):
    page = visit(PAGES["lenet"]).page
    page.route("**/demos/demos.css", lambda route: route.abort())
    box = page.locator("[data-demo=lenet]")
    box.get_by_role("button").click()
    expect(box.locator(".demo-said")).to_contain_text("the connection broke while demos.css came")
    page.unroute("**/demos/demos.css")
    box.get_by_role("button").click()
    expect(box.locator(".demo-two").first).to_be_visible()
    assert box.locator(".demo-two").first.evaluate("(element) => getComputedStyle(element).display") == "grid"
    expect(page.locator("link[href$='demos.css']")).to_have_count(1)


def test_a_slow_network_shows_how_much_has_come_and_can_be_cancelled(visit):
    page = visit(PAGES["gpt2"]).page
    box = page.locator("[data-demo=gpt2]")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "uploadThroughput": -1}
    slow.send("Network.emulateNetworkConditions", {**limits, "downloadThroughput": 30_000})
    box.get_by_role("button").click()
    expect(box.locator(".demo-said")).to_have_text(re.compile(r"Loading: [1-9]\d* of 222 KB"))
    box.get_by_role("button", name="Cancel").click()
    expect(box.locator(".demo-said")).to_have_text("Cancelled: nothing is started.")
    expect(box.locator(".demo-stage")).to_have_count(0)
    slow.send("Network.emulateNetworkConditions", {**limits, "downloadThroughput": -1})
    begun(page, "gpt2")


def test_a_browser_that_is_too_old_is_told_so_and_is_offered_no_button(visit):
    watched = visit("")
    page = watched.page
    page.add_init_script("delete window.AbortController")
    page.goto(page.url + PAGES["lenet"])
    box = page.locator("[data-demo=lenet]")
    expect(box.locator(".demo-said")).to_contain_text("too old for the demo: it lacks stopping a fetch")
    expect(box.get_by_role("button")).to_have_count(0)


def test_a_digit_is_drawn_by_a_finger_and_the_page_stays(visit):
    page = visit(PAGES["lenet"], **PHONE).page
    stage = begun(page, "lenet")
    pad = stage.locator(".demo-pad")
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    pad.evaluate("(pad) => pad.scrollIntoView({block: 'center', behavior: 'instant'})")
    box, before = pad.bounding_box(), page.evaluate("scrollY")
    finger = page.context.new_cdp_session(page)

    def touch(kind, *points):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    x, top = box["x"] + box["width"] / 2, box["y"]
    touch("touchStart", (x, top + 0.85 * box["height"]))
    for i in range(1, 15):
        touch("touchMove", (x, top + (0.85 - 0.05 * i) * box["height"]))
    touch("touchEnd")
    expect(stage.locator(".demo-answer strong")).to_have_text("1")
    assert page.evaluate("scrollY") == before


@every_demo
def test_the_keyboard_reaches_all_of_a_demo(slug, visit):
    page = visit(PAGES[slug], reduced_motion="reduce").page
    box = begun(page, slug)
    if slug == "ddpm":
        walked(box)
    page.evaluate(
        """(slug) => {
          const stage = document.querySelector(`[data-demo=${slug}] .demo-stage`);
          const able = [...stage.querySelectorAll('button, input, textarea, select, summary, a[href], [tabindex]')]
            .filter((each) => each.checkVisibility() && !each.disabled);
          window.left = new Set(able.map((each) => each.type === 'radio' ? each.name : each));
          const named = (each) => (each.type === 'radio' ? each.name : each);
          stage.addEventListener('focusin', ({ target }) => left.delete(named(target)));
          window.all = left.size;
          document.activeElement?.blur();
          stage.tabIndex = -1;
          stage.focus();
        }""",
        slug,
    )
    for _ in range(page.evaluate("all")):
        page.keyboard.press("Tab")
    assert page.evaluate("[...left].map((each) => each.outerHTML ?? each)") == []
    assert page.evaluate("all") > 3


def test_a_demo_needs_no_webassembly(visit):
    page = visit("").page
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(page.url + PAGES["lenet"])
    assert page.evaluate("typeof WebAssembly") == "undefined"
    expect(begun(page, "lenet").locator(".demo-answer strong")).to_have_text("3")


@every_demo
def test_without_scripts_a_demo_is_its_words(slug, visit):
    page = visit(PAGES[slug], java_script_enabled=False).page
    box = page.locator(f"[data-demo={slug}]")
    expect(box.locator(".demo-title")).to_be_visible()
    expect(box.locator("p").nth(1)).to_contain_text(".")
    expect(box.get_by_text("Scripts are off here")).to_be_visible()
    expect(box.get_by_role("button")).to_have_count(0)
