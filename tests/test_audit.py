"""The audit's own reckoning: Lighthouse's reports put together, the pages of a sitemap, what goes over the wire."""

import gzip
import json
import urllib.request
from pathlib import Path

import pytest
from benchmarks.audit import barriers, host, lighthouse

ROOT = Path(__file__).parents[1]


def report(performance, shift=0.0, contrast=1.0):
    """What Lighthouse says, as little of it as is read."""
    audits = {name: {"id": name, "title": name, "score": 1, "numericValue": 1000.0} for name in lighthouse._TIMES}
    audits["cumulative-layout-shift"] |= {"numericValue": shift, "score": 1 if shift < 0.1 else 0}
    audits["color-contrast"] = {"id": "color-contrast", "title": "Contrast is too little", "score": contrast}
    categories = {name: {"score": 1.0, "auditRefs": []} for name in lighthouse.FLOORS}
    categories["performance"]["score"] = performance
    categories["accessibility"] = {"score": contrast, "auditRefs": [{"id": "color-contrast", "weight": 7}]}
    return {"categories": categories, "audits": audits}


def test_of_several_runs_the_middle_counts_and_one_bad_run_does_not():
    score = lighthouse.of_reports("a/", [report(0.99), report(0.5), report(0.98)])
    assert score.scores["performance"] == 98
    assert score.short_of == []
    assert lighthouse.of_reports("a/", [report(0.97)]).short_of == ["performance"]


def test_what_takes_from_a_score_is_named():
    score = lighthouse.of_reports("a/", [report(1, contrast=0.0)])
    assert score.short_of == ["accessibility"]
    assert score.failed == ("accessibility: color-contrast: Contrast is too little",)


def test_lighthouse_that_is_not_installed_is_told_of_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(lighthouse, "_HERE", tmp_path)
    with pytest.raises(RuntimeError, match="run: make audit"):
        lighthouse.measure("http://localhost/", "", 1, "chromium")


def test_axe_looks_at_every_page_of_the_sitemap_and_the_one_for_what_is_not_there():
    sitemap = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
    <url><loc>https://example.org/a/</loc></url><url><loc>https://example.org/a/b/</loc></url></urlset>"""
    assert barriers.pages(sitemap, "https://example.org/a/") == ["", "b/", "404.html"]


@pytest.fixture
def address(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/index.html").write_text("word " * 500, "utf-8")
    (tmp_path / "404.html").write_text("not here", "utf-8")
    (tmp_path / "f.woff2").write_bytes(b"font" * 100)
    with host.served(tmp_path, "course") as found:
        yield found


def asked(url):
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as wrong:
        return wrong.code, wrong.headers, wrong.read()


def test_text_is_compressed_below_the_sites_name_and_fonts_are_not(address):
    status, headers, body = asked(f"{address}a/")
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert len(body) < 100
    assert gzip.decompress(body).startswith(b"word ")
    _, headers, body = asked(f"{address}f.woff2")
    assert (headers["Content-Encoding"], len(body)) == (None, 400)


@pytest.mark.parametrize("path", ["b/", "../course-not/", "../../etc/passwd"])
def test_what_is_not_there_is_the_sites_own_page_and_a_404(path, address):
    status, _, body = asked(address + path)
    assert status == 404
    assert gzip.decompress(body) == b"not here"


def test_the_audits_packages_are_locked_and_name_no_host_to_fetch_from():
    lock = json.loads((ROOT / "benchmarks/audit/package-lock.json").read_text("utf-8"))
    assert "node_modules/lighthouse" in lock["packages"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []
