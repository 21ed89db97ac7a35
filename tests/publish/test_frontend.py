"""The front-end parts: what is served comes from the lock file, and nothing points at what is not served."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from paperimpl.markdown.mathml import MathML
from paperimpl.publish import frontend
from paperimpl.publish.frontend import Parts, install

SITE_CONFIG = Path(__file__).parents[2] / "site_config"


def test_a_package_that_is_not_there_is_named_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no '@fonts/x/y\.woff2' in .*node_modules; run `make site`"):
        list(Parts(tmp_path).files({"assets/y.woff2": "@fonts/x/y.woff2"}, math=False))


def test_a_build_that_lacks_a_package_says_so_without_a_traceback(small):
    small.edit("mkdocs.yml", "      code_url:", '      serve: { assets/x.woff2: "@fonts/x.woff2" }\n      code_url:')
    built = small.build()
    assert built.code != 0
    assert "run `make site`" in built.log
    assert "Traceback" not in built.log


def test_without_packages_there_is_our_style_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(frontend, "shared", lambda: tmp_path / "shared")
    names = ("vault.css", "vault.js", "app.js", "folder.js", "preview.js", "graph.js", "table.js")
    ours = {f"assets/paperimpl/{name}" for name in names}
    assert {address for address, _ in Parts(tmp_path).files({}, math=True)} == ours
    assert Parts(tmp_path).folder("katex") is None


def test_a_served_file_is_the_packages_own(tmp_path):
    (tmp_path / "node_modules/p").mkdir(parents=True)
    (tmp_path / "node_modules/p/f.js").write_text("1")
    served = dict(Parts(tmp_path).files({"assets/f.js": "p/f.js"}, math=False))
    assert served["assets/f.js"] == tmp_path / "node_modules/p/f.js"


def test_katexs_style_points_at_nothing_that_is_not_served():
    if not (SITE_CONFIG / "node_modules/katex").is_dir():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("KaTeX is not installed: make site")
    served = dict(Parts(SITE_CONFIG).files({}, math=True))
    style = served["assets/katex/katex.min.css"]
    pointed = {f"assets/katex/{url}" for url in re.findall(r"url\(([^)]+)\)", style)}
    assert pointed
    assert pointed <= set(served)
    assert "http" not in style


@pytest.mark.parametrize("folder", [SITE_CONFIG, frontend.SHIPPED], ids=["site", "shipped"])
def test_the_lock_file_pins_every_package_and_names_no_host(folder):
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    assert all(about["integrity"].startswith("sha512-") for about in packages.values())
    assert "http" not in json.dumps([about.get("resolved", "") for about in packages.values()])


@pytest.fixture
def npm(monkeypatch):
    """What npm was asked to do; it does nothing."""
    asked = []

    def run(command, cwd, check):
        asked.append([*command[1:]])
        (cwd / "node_modules").mkdir(exist_ok=True)

    monkeypatch.setattr(frontend, "npm", lambda: ["npm"])
    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_packages_are_installed_once_and_again_when_the_lock_file_changes(npm, tmp_path):
    (tmp_path / "package-lock.json").write_text("1")
    assert install(tmp_path)
    assert not install(tmp_path)
    (tmp_path / "package-lock.json").write_text("2")
    assert install(tmp_path)
    assert [command[0] for command in npm] == ["ci", "ci"]
    assert all("--ignore-scripts" in command for command in npm)


def test_an_installation_that_failed_is_tried_again(monkeypatch, tmp_path):
    (tmp_path / "package-lock.json").write_text("1")
    monkeypatch.setattr(frontend, "npm", lambda: ["false"])
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            install(tmp_path)
    assert not (tmp_path / "node_modules/.installed").exists()


def test_where_npm_fails_any_vault_is_told_why_in_its_own_words(tmp_path, monkeypatch):
    def run(command, **how):
        raise subprocess.CalledProcessError(1, command, stderr="npm error code ENOTFOUND\n")

    monkeypatch.setattr(frontend, "shared", lambda: tmp_path / "shared")
    monkeypatch.setattr(frontend, "npm", lambda: ["npm"])
    monkeypatch.setattr(subprocess, "run", run)
    assert frontend.install_shared(1) == "npm could not install KaTeX (npm error code ENOTFOUND)"
    assert not (tmp_path / "shared").exists()


@pytest.mark.parametrize("mathml", [True, False])
def test_a_build_without_katex_fetches_nothing_and_formulas_can_be_read(mathml, tmp_path, monkeypatch, caplog):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("Let $x_1$ be.")
    (tmp_path / "mkdocs.yml").write_text("site_name: Notes\ntheme: {name: material}\nplugins: [search, vault]\n")
    monkeypatch.setattr(frontend, "shared", lambda: tmp_path / "shared")
    monkeypatch.setattr(MathML, "installed", lambda: mathml)
    config = load_config(config_file=str(tmp_path / "mkdocs.yml"), site_dir=str(tmp_path / "site"))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    page = (tmp_path / "site/index.html").read_text().partition("<article")[2]
    assert ("<msub><mi>x</mi><mn>1</mn></msub>" in page) == mathml
    assert ("x_1" in page) != mathml
    warned = [record.getMessage() for record in caplog.records if "formulas stay" in record.getMessage()]
    remedy = "`pip install math-core`, or `python -m paperimpl.publish.frontend` for KaTeX"
    assert warned == [f"formulas stay as they are written; {remedy}"] * (not mathml)
    assert not (tmp_path / "shared").exists()
