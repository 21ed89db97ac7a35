"""Mutants of small modules: what is made, what is left alone, and what names a mutant."""

import pytest

from paperimpl.mutation.operators import mutants


def changes(source):
    return {mutant.new for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("y = a + b", {"y = a - b", "y = a", "y = b"}),
        ("y = a - b", {"y = a + b", "y = b - a", "y = a"}),
        ("y = a * b", {"y = a / b", "y = a", "y = b"}),
        ("y = a @ b", {"y = b @ a", "y = a"}),
        ("y = -a", {"y = a"}),
        ("y = ~a", {"y = a"}),
        ("y = -3.0", {"y = -6.0", "y = 3.0"}),
        ("y = 0.0", {"y = 1.0"}),
        ("y = 1", {"y = 2", "y = 0"}),
        ("y = 512", {"y = 1024", "y = 256"}),
        ("y = True", {"y = False"}),
        ("y = a < b", {"y = a <= b", "y = a > b"}),
        ("y = a == b", {"y = a != b"}),
        ("y = a and b", {"y = a or b"}),
        ("y = f(a, b)", {"y = f(b, a)", "y = a"}),
        ("y = x.sum(dim=1)", {"y = x.mean(dim=1)", "y = x", "y = x.sum()", "y = x.sum(dim=2)", "y = x.sum(dim=0)"}),
        ("y = torch.relu(a)", {"y = a"}),
        ("y = x[:, 1:]", {"y = x[:, :]", "y = x[:, 2:]", "y = x[:, 0:]"}),
        ("y = [a, b]", {"y = [b, a]"}),
        ("a, b = y", {"b, a = y"}),
        ("y = torch.einsum('ij,jk->ik', a, b)", {"y = torch.einsum('ij,jk->ki', a, b)"}),
        ("y = b if a else c", {"y = b if not a else c"}),
        ("if a:\n    pass", {"if not a:"}),
        ("f(a)", {"pass"}),
        ("x.y = a", {"pass"}),
        ("x = x + a", {"pass", "x = x - a", "x = x", "x = a"}),
        ("x += a", {"pass", "x -= a"}),
        ("def f(a, b=2):\n    return a", {"def f(a, b=3)", "def f(a, b=1)"}),
        ("@no_grad()\ndef f():\n    return a", {""}),
    ],
)
def test_each_small_mistake_is_made(source, made):
    assert changes(source) >= made


@pytest.mark.parametrize(
    "source",
    [
        '"""One 1."""',
        "import torch.nn as nn",
        '__all__ = ["A", "B"]',
        'def f(a: Float[Tensor, "B 1"]) -> 1:\n    """Add 1."""\n    return a',
        'if a is a:\n    raise ValueError(f"not {1 + 1}")',
        "y = 'text'",
        "first = a",
    ],
)
def test_what_is_no_code_is_left_alone(source):
    assert not changes(source) - {"if not a is a:", "if a is not a:"}


def test_every_mutant_is_another_module_that_compiles():
    source = "def f(a, b):\n    c = a + a * b - 1\n    return c if a > b else -c\n"
    found = mutants(source)
    assert len({mutant.source for mutant in found}) == len(found)
    for mutant in found:
        compile(mutant.source, "mutant", "exec")


def test_a_mutant_is_on_its_line_in_its_function():
    source = "X = 1\n\n\nclass A:\n    def f(self, a):\n        # why\n        return a * 2\n"
    found = {(mutant.line, mutant.symbol) for mutant in mutants(source)}
    assert found == {(1, ""), (7, "A.f")}


def test_its_name_outlives_comments_layout_and_lines_that_move():
    plain = "def f(a, b):\n    return a.sum(dim=1) + b\n"
    moved = "# new\nX = None\n\ndef f(a, b):\n    return (  # why\n        a.sum(dim=1)\n        + b\n    )\n"
    assert [mutant.key for mutant in mutants(plain)] == [mutant.key for mutant in mutants(moved)]
    assert [mutant.line for mutant in mutants(plain)] != [mutant.line for mutant in mutants(moved)]
