import ast
import shutil
from pathlib import Path

import pytest

from paperimpl.vault.digest import digest, modules

FILES = {
    "paperimpl/__init__.py": '"""The package."""\n',
    "paperimpl/lab/__init__.py": "from paperimpl.lab.fit import fit\n",
    "paperimpl/lab/fit.py": "def fit(x):\n    return x\n",
    "paperimpl/lab/near.py": "NEAR = 1\n",
    "paperimpl/lab/unused.py": "UNUSED = 1\n",
    "paperimpl/papers/__init__.py": "",
    "paperimpl/papers/rnn.py": "class Rnn:\n    size = 3\n",
    "paperimpl/papers/lstm.py": "from . import rnn\nfrom ..lab import near\nRnn, NEAR = rnn.Rnn, near.NEAR\n",
    "paperimpl/claims/__init__.py": "",
    "paperimpl/claims/lstm.py": '''"""Does it?"""

import math

from paperimpl.lab import fit
from paperimpl.papers.lstm import Rnn

SAYS = "Table 7."


def claim(seed: int = 0):
    """Holds if it does."""
    best = {"a": -1.5, "b": [1, 2], "c": f"{seed:>3}"}
    return fit(Rnn), math.pi, best, None
''',
}


@pytest.fixture
def source(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def of(source: Path) -> str:
    return digest(source / "paperimpl/claims/lstm.py", source)


def change(source: Path, name: str, old: str, new: str) -> None:
    text = (source / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (source / name).write_text(text.replace(old, new), encoding="utf-8")


def test_a_claim_stands_on_every_module_it_imports_directly_or_not(source):
    found = modules(source / "paperimpl/claims/lstm.py", source)
    assert {path.relative_to(source).as_posix() for path in found} == set(FILES) - {
        "paperimpl/lab/unused.py",
        "paperimpl/claims/__init__.py",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Does it?"""', '"""Does it, really?"""'),
        ('"""Does it?"""\n', ""),
        ('    """Holds if it does."""\n', ""),
        ("import math\n", "import math  # for pi\n"),
        ('"Table 7."', "'Table 7.'"),
        ('"Table 7."', '("Table " "7.")'),
        ("\n\n\ndef", "\n\ndef"),
        (
            '{"a": -1.5, "b": [1, 2], "c": f"{seed:>3}"}',
            '{\n        "a": -1.50,\n        "b": [1, 2,],\n        "c": f"{seed:>3}",\n    }',
        ),
        ("return fit(Rnn), math.pi, best, None", "return (fit(Rnn), math.pi, best, None)"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(source, old, new):
    before = of(source)
    change(source, "paperimpl/claims/lstm.py", old, new)
    assert of(source) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("claims/lstm.py", "-1.5", "1.5"),
        ("claims/lstm.py", "-1.5", "-1.6"),
        ("claims/lstm.py", "[1, 2]", "[2, 1]"),
        ("claims/lstm.py", "[1, 2]", "(1, 2)"),
        ("claims/lstm.py", "[1, 2]", "[1, 2, None]"),
        ("claims/lstm.py", ":>3", ":>4"),
        ("claims/lstm.py", "seed: int = 0", "seed: int = 1"),
        ("claims/lstm.py", "seed: int = 0", "*, seed: int = 0"),
        ("claims/lstm.py", "best, None", "best, False"),
        ("claims/lstm.py", "best, None", "best"),
        ("claims/lstm.py", "Table 7", "Table 8"),
        ("claims/lstm.py", "math.pi", "math.tau"),
        ("papers/lstm.py", "near.NEAR", "-near.NEAR"),
        ("papers/rnn.py", "size = 3", "size = 4"),
        ("papers/rnn.py", "size = 3", "size: int = 3"),
        ("lab/__init__.py", "import fit", "import fit as fit"),
        ("lab/fit.py", "return x", "return +x"),
        ("lab/near.py", "1", "2"),
        ("__init__.py", '"""The package."""', "import os"),
    ],
)
def test_any_change_of_code_counts_wherever_it_stands(source, name, old, new):
    before = of(source)
    change(source, f"paperimpl/{name}", old, new)
    assert of(source) != before


def test_code_that_the_claim_does_not_import_does_not_count(source):
    before = of(source)
    change(source, "paperimpl/lab/unused.py", "1", "2")
    assert of(source) == before


@pytest.mark.parametrize(
    "line",
    [
        "import paperimpl.lab.unused",
        "import paperimpl.lab.unused as u",
        "from paperimpl.lab import unused",
        "from paperimpl.lab.unused import UNUSED",
        "from ..lab import unused",
        "from ..lab.unused import UNUSED",
        "from paperimpl.lab.unused import *",
        "def later():\n    from paperimpl.lab import unused",
        "if False:\n    import paperimpl.lab.unused",
    ],
)
def test_every_form_of_import_is_followed(source, line):
    path = source / "paperimpl/claims/lstm.py"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    before = of(source)
    change(source, "paperimpl/lab/unused.py", "1", "2")
    assert of(source) != before


def test_a_cycle_of_imports_ends(source):
    path = source / "paperimpl/papers/rnn.py"
    path.write_text("from paperimpl.papers import lstm\nclass Rnn:\n    size = 3\n", encoding="utf-8")
    assert of(source).startswith("sha256:")


def test_it_is_the_same_in_another_folder_and_with_other_line_endings(source, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "src"
    shutil.copytree(source, elsewhere)
    for path in elsewhere.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert of(elsewhere) == of(source)


def test_what_newer_pythons_add_to_the_tree_does_not_count(source, monkeypatch):
    """Python 3.12 gave functions and classes `type_params`, an empty list where there are none."""
    before = of(source)
    parse = ast.parse

    def newer(*arguments, **named):
        tree = parse(*arguments, **named)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                node._fields = (*type(node)._fields, "yet_another", "and_another")
                node.yet_another, node.and_another = [], None
        return tree

    monkeypatch.setattr(ast, "parse", newer)
    assert of(source) == before


def test_this_very_digest_is_the_same_on_every_python(source):
    assert of(source) == "sha256:65deb94d12595cfaddc985e82742ee14"


def test_a_module_that_does_not_parse_is_named(source):
    change(source, "paperimpl/papers/rnn.py", "class Rnn:", "class Rnn(:")
    with pytest.raises(SyntaxError) as broken:
        of(source)
    assert broken.value.filename == str(source / "paperimpl/papers/rnn.py")
    assert broken.value.lineno == 1
