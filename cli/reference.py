"""`journeyman config`: the configuration as its models say it, and whether yours is valid."""

import ast
import inspect
import os
import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import typer
from pydantic import BaseModel

from cli import options
from cli.config import PREFIX, SECTIONS, Settings, load

app = typer.Typer(
    help="The settings there are, and whether yours are valid.", no_args_is_help=True, rich_markup_mode=None
)
_COMMENT = re.compile(r"\s*#\s*(?!noqa)(.+)")
HEAD = """\
# Every setting

Written by `journeyman config reference` from the program itself. How the file, the environment and options go
together is in the [guide for operators](operators.md#configuration).
"""


@app.command()
def reference() -> None:
    """Print every setting, as Markdown."""
    print(page(), end="")


@app.command()
def check(config: options.Config = None) -> None:
    """Tell whether file and environment are valid; mistakes are told all together."""
    settings = load(os.environ, file=config)
    print(f"The configuration is valid. The data folder is {settings.data}.")


def page() -> str:
    """Return the reference as Markdown."""
    tops = [name for name in Settings.model_fields if name not in SECTIONS and name != "discord_token"]
    parts = [HEAD, *table(Settings, tops, prefix="")]
    for name in SECTIONS:
        section = Settings.model_fields[name].annotation
        assert isinstance(section, type)  # noqa: S101 - that is what makes it a section
        assert issubclass(section, BaseModel)  # noqa: S101 - likewise
        parts += [
            f"\n## `[{name}]`\n",
            purpose(section),
            "",
            *table(section, section.model_fields, prefix=name),
        ]
    return "\n".join(parts) + "\n"


def purpose(section: type[BaseModel]) -> str:
    """Return what a section is for: the first sentence of its docstring."""
    text = inspect.cleandoc(section.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
    text = re.sub(r"^``\[\w+\]``: ", "", text).replace("``", "`")
    return text[:1].upper() + text[1:]


def table(model: type[BaseModel], names: Mapping[str, Any] | list[str], *, prefix: str) -> Iterator[str]:
    """Yield the rows for the fields *names* of *model*."""
    words = comments(model)
    schema = model.model_json_schema()
    yield "| Key | Values | Default | Environment | Meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for name in names:
        variable = PREFIX + (f"{prefix}__{name}" if prefix else name).upper()
        shape = schema["properties"][name]
        default = _literal(shape["default"]) if shape.get("default") is not None else "-"
        yield f"| `{name}` | {_values(shape)} | {default} | `{variable}` | {words.get(name, '')} |"


def comments(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the comment that stands behind each field of *model*, else the one above it."""
    source = textwrap.dedent(inspect.getsource(model))
    lines = source.splitlines()
    [body] = ast.parse(source).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - a model is a class
    found = {}
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            behind = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
            above = list(takewhile(_COMMENT.fullmatch, reversed(lines[: node.lineno - 1])))
            said = [_COMMENT.match(line) for line in ([behind] if "#" in behind else reversed(above))]
            found[node.target.id] = " ".join(each[1].strip() for each in said if each).replace("|", "\\|")
    return found


def _values(shape: Mapping[str, Any]) -> str:
    """Return which values a JSON schema allows, in words."""
    choices = [each for each in shape.get("anyOf", [shape]) if each.get("type") != "null"]
    return " or ".join(dict.fromkeys(_one(each) for each in choices))


def _one(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return ", ".join(_literal(each) for each in shape["enum"])
    words = {
        "integer": "whole number",
        "number": "number",
        "boolean": "`true`, `false`",
        "string": "path" if shape.get("format") == "path" else "text",
        "object": "table",
        "array": "list",
    }[shape.get("type", "object")]
    low = shape.get("minimum", shape.get("exclusiveMinimum"))
    high = shape.get("maximum", shape.get("exclusiveMaximum"))
    more = "above " if "exclusiveMinimum" in shape else "from "
    if low is not None:
        words += f" {more}{low:g}"
    if high is not None:
        words += f" to {high:g}"
    return words


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    return "-" if value in ({}, [], None) else f"`{value}`"
