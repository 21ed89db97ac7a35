"""The changes: one place in a model's syntax tree, one small mistake that a person could have made."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Mutant", "mutants"]

_OTHER_OPERATOR: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_OTHER_COMPARISONS: dict[type[ast.AST], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = [
    ("sigmoid", "tanh"),
    ("sin", "cos"),
    ("min", "max"),
    ("amin", "amax"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("sum", "mean"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("new_zeros", "new_ones"),
    ("tril", "triu"),
    ("softmax", "log_softmax"),
    ("sqrt", "square"),
    ("exp", "log"),
]
_OTHER_NAME = dict(_PAIRS) | {b: a for a, b in _PAIRS}
_MODULES = {"torch", "nn", "math", "F", "functional", "np", "init"}
_NOT_CODE = {"annotation", "returns", "decorator_list", "type_params", "ctx"}


@dataclass(frozen=True)
class Mutant:
    """A model with one change.

    Attributes:
        line: of the change, in the model as it is.
        symbol: the function, method or class that it is in, such as `LSTMCell.forward`; empty at the top level.
        what: the kind of change.
        old, new: the statement before and after, without comments and in one layout, so that neither a new line
            above nor a reformatting makes it another mutant.
        source: the whole changed module.
    """

    line: int
    symbol: str
    what: str
    old: str
    new: str
    source: str = field(repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it from one run to the next."""
        return self.symbol, self.old, self.new


@dataclass(frozen=True)
class _Site:
    """A node in its place in the tree."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    statement: ast.stmt
    symbol: str

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(source: str) -> list[Mutant]:
    """List the changes that a module's code admits, in the order of its lines, each resulting module once.

    Annotations, docstrings, imports, `__all__`, strings and what is raised stay as they are.
    """
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    found = []
    for site in list(_sites(tree, tree, "")):
        before = _told(site.statement)
        for what, new in _changes(site):
            site.put(new)
            changed = ast.unparse(ast.fix_missing_locations(tree))
            after = _told(new if isinstance(new, ast.stmt) else site.statement)
            site.put(site.node)
            if changed not in seen and _compiles(changed):
                seen.add(changed)
                found.append(Mutant(site.node.lineno, site.symbol, what, before, after, changed))  # type: ignore[attr-defined]
    for mutant in _without_decorators(tree):
        if mutant.source not in seen:
            found.append(mutant)
    return sorted(found, key=lambda mutant: mutant.line)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _told(statement: ast.stmt) -> str:
    """Write a statement down; of a compound one its head, of a function its defaults."""
    if isinstance(statement, ast.FunctionDef):
        arguments = copy.deepcopy(statement.args)
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            argument.annotation = None
        return f"def {statement.name}({ast.unparse(arguments)})"
    bare = copy.copy(statement)
    for name in ("body", "orelse", "decorator_list"):
        if hasattr(bare, name):
            setattr(bare, name, [])
    return ast.unparse(bare)


def _sites(parent: ast.AST, statement: ast.AST, symbol: str) -> Iterator[_Site]:
    for name, value in ast.iter_fields(parent):
        if name in _NOT_CODE:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or _is_no_code(node):
                continue
            within = node if isinstance(node, ast.stmt) else statement
            if isinstance(within, ast.stmt) and hasattr(node, "lineno"):
                yield _Site(parent, name, index, node, within, symbol)
            deeper = symbol
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                deeper = f"{symbol}.{node.name}".strip(".")
            if not _is_number(node):  # -3.0 is one number, not a sign and a number
                yield from _sites(node, within, deeper)


def _is_no_code(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def _changes(site: _Site) -> Iterator[tuple[str, ast.AST]]:
    """Make what could stand in a node's place, with the kind of each change."""
    node = site.node
    if _is_number(node):
        yield from (("another number", _number(value)) for value in _other_numbers(ast.literal_eval(ast.unparse(node))))
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "the other truth", ast.Constant(not node.value)
    elif isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield "a dropped sign or negation", node.operand
    elif isinstance(node, ast.Compare):
        for n, operator in enumerate(node.ops):
            for other in _OTHER_COMPARISONS[type(operator)]:
                yield "another comparison", _with(node, ops=[*node.ops[:n], other(), *node.ops[n + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield "the other connective", _with(node, op=_OTHER_OPERATOR[type(node.op)]())
    elif isinstance(node, ast.If | ast.IfExp):
        yield "a negated condition", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Call):
        yield from _of_call(node, site)
    elif isinstance(node, ast.Attribute | ast.Name):
        name = "attr" if isinstance(node, ast.Attribute) else "id"
        if (other_name := _OTHER_NAME.get(getattr(node, name))) and isinstance(node.ctx, ast.Load):
            yield "another function", _with(node, **{name: other_name})
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper", "step"):
            if getattr(node, end) is not None:
                yield "a slice without its end", _with(node, **{end: None})
    elif isinstance(node, ast.Tuple | ast.List):
        yield from (("swapped elements", _with(node, elts=swapped)) for swapped in _swaps(node.elts))
    elif isinstance(node, ast.AugAssign):
        yield "another operator", _with(node, op=_OTHER_OPERATOR.get(type(node.op), type(node.op))())
        yield "a dropped statement", ast.Pass()
    elif isinstance(node, ast.Expr) or (isinstance(node, ast.Assign) and _can_go(node)):
        yield "a dropped statement", ast.Pass()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _number(value: float) -> ast.expr:
    return ast.UnaryOp(ast.USub(), ast.Constant(-value)) if value < 0 else ast.Constant(value)


def _other_numbers(value: float) -> list[float]:
    if isinstance(value, float):
        return [2 * value, -value] if value else [1.0]
    return [value + 1, value - 1] if abs(value) < 10 else [2 * value, value // 2]


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    if other := _OTHER_OPERATOR.get(type(node.op)):
        yield "another operator", _with(node, op=other())
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
        yield "swapped operands", _with(node, left=node.right, right=node.left)
    yield "a dropped operand", node.left
    if isinstance(node.op, ast.Add | ast.Mult):
        yield "a dropped operand", node.right


def _of_call(node: ast.Call, site: _Site) -> Iterator[tuple[str, ast.AST]]:
    for arguments in _swaps(node.args):
        yield "swapped arguments", _with(node, args=arguments)
    for n, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield "a dropped argument", _with(node, keywords=node.keywords[:n] + node.keywords[n + 1 :])
    if isinstance(site.parent, ast.Expr):
        return  # the statement is dropped as a whole
    if isinstance(node.func, ast.Attribute) and node.func.attr == "einsum" and isinstance(node.args[0], ast.Constant):
        inputs, _, output = str(node.args[0].value).rpartition("->")
        if len(output) > 1:
            transposed = ast.Constant(f"{inputs}->{output[:-2]}{output[-1]}{output[-2]}")
            yield "transposed axes", _with(node, args=[transposed, *node.args[1:]])
    root = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    is_method = isinstance(node.func, ast.Attribute) and not (
        isinstance(root, ast.Name) and (root.id in _MODULES or root.id == "self")
    )
    if is_method:
        yield "a dropped call", node.func.value  # type: ignore[attr-defined]
    elif node.args and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield "a dropped call", node.args[0]


def _swaps(nodes: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """Exchange each two neighbours once."""
    for n in range(len(nodes) - 1):
        if not any(isinstance(node, ast.Starred) for node in nodes[n : n + 2]):
            yield [*nodes[:n], nodes[n + 1], nodes[n], *nodes[n + 2 :]]


def _can_go(node: ast.Assign) -> bool:
    """Say whether the code still has a meaning without an assignment: not where it is the first of its name."""
    names = {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    read = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    return not isinstance(node.targets[0], ast.Name | ast.Tuple) or bool(names & read)


def _without_decorators(tree: ast.Module) -> Iterator[Mutant]:
    holders = [(tree, "")]
    while holders:
        holder, symbol = holders.pop()
        for node in holder.body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            name = f"{symbol}.{node.name}".strip(".")
            holders.append((node, name))  # type: ignore[arg-type]
            for n, decorator in enumerate(node.decorator_list):
                del node.decorator_list[n]
                changed = ast.unparse(tree)
                node.decorator_list.insert(n, decorator)
                old = f"@{ast.unparse(decorator)}"
                yield Mutant(decorator.lineno, name, "a dropped decorator", old, "", changed)
