"""What the code must not contain: SQL made of values, and calls that run what they are given."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("parser", "worker", "bot", "playground", "cli", "migrations")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SQL = re.compile(
    r"\b(?:SELECT\s|INSERT\s+INTO\b|REPLACE\s+INTO\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|PRAGMA\s)",
    re.DOTALL,
)
SPEAKS = re.compile(rf"{SQL.pattern}|\.execute")  # a file that has to do with statements
EXECUTE = {"execute", "executemany", "executescript"}
# Names that become part of a statement though nothing in their function says what they are: looked at.
REVIEWED = {
    ("cli/doctor_data.py", "_count", "condition"),  # a constant with every caller
    ("worker/queue/privacy.py", "_key", "table"),  # the name of a table in `MENTIONS`
    ("worker/queue/privacy.py", "_unname", "key"),  # the name of a column, from the schema
    ("worker/queue/privacy.py", "_unname", "guard"),  # a trigger of the schema
    ("worker/queue/privacy.py", "_select", "table"),  # the name of a table in `OWN`
    ("worker/queue/turns.py", "_read", "where"),  # a constant with every caller
}
RUNS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "pickle.load",
    "pickle.loads",
    "marshal.loads",
}
RUNS |= {
    "torch.load",
    "yaml.load",
    "shelve.open",
    "runpy.run_path",
    "tempfile.mktemp",
    "numpy.load",
    "np.load",
}

TRUSTING = {"shell", "trust_remote_code", "allow_pickle"}  # arguments that switch a check off


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def called(node: ast.Call) -> list[ast.expr] | None:
    """Return what the calls that change no text are made of."""
    match node:
        case ast.Call(func=ast.Name(id="MappingProxyType"), args=[value]):
            return [value]
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[several]):
            return [several]
        case ast.Call(func=ast.Attribute(value=value, attr="items" | "keys" | "values"), args=[]):
            return [value]
    return None


def is_integer(node: ast.FormattedValue) -> bool:
    """Tell whether a value is put in as an integer: anything else would raise."""
    return node.format_spec is not None and ast.unparse(node.format_spec) == "f'd'"


# What an expression is made of; None where nobody knows.
MADE_OF: dict[type, Callable[[Any], Sequence[ast.expr | None] | None]] = {
    ast.Constant: lambda node: [],
    ast.Attribute: lambda node: [] if node.attr.isupper() else None,  # a member of an enumeration
    ast.FormattedValue: lambda node: [] if is_integer(node) else [node.value],
    ast.JoinedStr: lambda node: node.values,
    ast.Tuple: lambda node: node.elts,
    ast.List: lambda node: node.elts,
    ast.Set: lambda node: node.elts,
    ast.Dict: lambda node: [*node.keys, *node.values],
    ast.BinOp: lambda node: [node.left, node.right] if isinstance(node.op, ast.Add | ast.Mult) else None,
    ast.IfExp: lambda node: [node.body, node.orelse],
    ast.Starred: lambda node: [node.value],
    ast.Subscript: lambda node: [node.value],
    ast.Call: called,
}


@dataclass
class Scope:
    """What names stand for in one function, and in its module."""

    file: str
    name: str
    parameters: frozenset[str]
    values: dict[str, list[ast.expr]]
    outer: "Scope | None" = None
    imported: frozenset[str] = frozenset()

    def ours(self, node: ast.expr | None, seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether *node* can only be text, or a number, that stands in the code.

        *seen* are the names that are being looked at.
        """
        if isinstance(node, ast.Name):
            return self._named(node.id, seen)
        look = MADE_OF.get(type(node))
        pieces = None if look is None else look(node)
        return pieces is not None and all(self.ours(each, seen) for each in pieces)

    def _named(self, name: str, seen: frozenset[str]) -> bool:
        if name in seen or (self.file, self.name, name) in REVIEWED:
            return True  # it is made of itself and of what is being looked at
        if name in self.values:
            return all(self.ours(each, seen | {name}) for each in self.values[name])
        if name in self.parameters or self.outer is None:
            return name in self.imported and name.isupper()  # a constant of ours, looked at where it is made
        return self.outer._named(name, seen)


def bindings(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """Return everything that names are set to in *body*, functions inside it left out."""
    found: dict[str, list[ast.expr]] = {}
    for node in inside(body):
        for target, value in settings(node):
            for name, each in unpacked(target, value):
                found.setdefault(name, []).append(each)
    return found


def settings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what *node* sets, and to what."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case (
            ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.AugAssign(target=target, value=value)
        ):
            yield target, value
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield target, value
        case ast.Call(func=ast.Attribute(value=ast.Name() as target, attr="append"), args=[value]):
            yield target, value


def unpacked(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of *target* and what each is set to, or part of what."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple):
        alike = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
        for number, each in enumerate(target.elts):
            yield from unpacked(each, value.elts[number] if alike and isinstance(value, ast.Tuple) else value)


def inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of *body* that belong to it and to no function inside it."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield node
        pending.extend(ast.iter_child_nodes(node))


def scopes(tree: ast.Module, file: str) -> Iterator[tuple[Scope, list[ast.stmt]]]:
    """Yield every function with its scope, the module first."""

    def walk(body: list[ast.stmt], scope: Scope) -> Iterator[tuple[Scope, list[ast.stmt]]]:
        yield scope, body
        for node in (each for statement in body for each in ast.walk(statement)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in met:
                met.add(node)
                names = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                parameters = frozenset(each.arg for each in names)
                yield from walk(node.body, Scope(file, node.name, parameters, bindings(node.body), scope))

    met: set[ast.AST] = set()
    imported = (each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom))
    names = frozenset(alias.asname or alias.name for each in imported for alias in each.names)
    yield from walk(tree.body, Scope(file, "", frozenset(), bindings(tree.body), imported=names))


def said(node: ast.AST) -> str:
    """Return the text that stands in *node*, with a mark for whatever else does."""
    each = ast.walk(node)
    return " ? ".join(
        one.value for one in each if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


def suspect(node: ast.AST) -> ast.expr | None:
    """Return *node*, or an argument of it, if it is a statement that is put together."""
    if isinstance(node, ast.JoinedStr | ast.BinOp) and SQL.search(said(node)):
        return node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    if node.func.attr == "format" and SQL.search(said(node.func)):
        return node
    if node.func.attr in EXECUTE and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
        return node.args[0]
    return None


def violations(source: str, file: str = "x.py") -> list[str]:
    """Return every statement in *source* that could hold a value, with its line."""
    return [
        f"{file}:{found.lineno}: {ast.unparse(found)}"
        for scope, body in scopes(ast.parse(source), file)
        for node in inside(body)
        if (found := suspect(node)) is not None and not scope.ours(found)
    ]


def test_no_statement_is_made_of_values() -> None:
    """Values are bound; what is put into the text of a statement stands in the code."""
    texts = {named(path): path.read_text(encoding="utf-8") for path in FILES}
    found = [each for file, text in texts.items() if SPEAKS.search(text) for each in violations(text, file)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "def f(db, name): db.execute(f\"SELECT * FROM jobs WHERE id = '{name}'\")",
        "def f(db, name): db.execute('SELECT * FROM jobs WHERE id = ' + name)",
        "def f(db, name): db.execute('DELETE FROM jobs WHERE id = %s' % name)",
        "def f(db, name): db.execute('DELETE FROM jobs WHERE id = {}'.format(name))",
        "def f(db, name):\n where = f'id = {name}'\n db.execute(f'SELECT id FROM jobs WHERE {where}')",
        "def f(db, job): db.execute(f'UPDATE jobs SET state = {job.state}')",
        "def f(db, rest): db.execute(f'{rest} LIMIT 1')",
    ],
)
def test_a_statement_made_of_values_would_be_found(source: str) -> None:
    assert violations(source)


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_nothing_runs_what_it_was_given() -> None:
    """No expression, pickle or shell command out of data; programs start with a list of arguments."""
    texts = {named(path): path.read_text(encoding="utf-8") for path in FILES}
    for file, text in texts.items():
        for node in ast.walk(ast.parse(text)) if DANGEROUS.search(text) else ():
            if isinstance(node, ast.Call):
                place = f"{file}:{node.lineno}"
                assert dotted(node.func) not in RUNS, place
                assert not dotted(node.func).endswith("create_subprocess_shell"), place
                assert not any(map(trusts, node.keywords)), place


DANGEROUS = re.compile(
    "|".join((*map(re.escape, sorted(RUNS)), *sorted(TRUSTING), "create_subprocess_shell"))
)


def trusts(keyword: ast.keyword) -> bool:
    """Tell whether an argument switches a check off."""
    if keyword.arg not in TRUSTING:
        return False
    return not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
