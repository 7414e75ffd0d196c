"""Python's names and the database's tables, as Markdown, from docstrings and declarations."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

import effauto
from effauto.store.models import Base

HERE = Path(__file__).resolve().parent
# What is asked and answered; the rest of the public names is for those who write plugins.
# Of a cross-reference as tools for Python's documentation read it only the name is shown.
ROLE = re.compile(r":[a-z]+:(?=`)")
FOR_USERS = ("plan", "run", "load", "EffAutoClassifier", "Results", "Listener", "Search")


def for_users() -> str:
    """The names that people use who ask for plans."""
    return "\n\n".join(_described(name) for name in FOR_USERS)


def for_plugins() -> str:
    """The names that a plugin may use."""
    return "\n\n".join(_described(name) for name in effauto.__all__ if name not in FOR_USERS)


def _described(name: str) -> str:
    found = getattr(effauto, name)
    if inspect.isclass(found):
        return "\n\n".join([f"### `{name}`", _told(found), *_members(found)])
    if inspect.isroutine(found):
        return f"### `{name}`\n\n{_signature(name, found)}\n\n{_told(found)}"
    told = str(found)
    if " at 0x" in told:  # an address says nothing, and is another each time
        told = f"{type(found).__module__.partition('.')[0]}.{type(found).__name__}"
    return f"### `{name}`\n\n`{told}`"


def _members(kind: type) -> Iterator[str]:
    """Methods with a docstring of their own, in their order."""
    own = {} if issubclass(kind, Enum) else vars(kind)
    for name, member in own.items():
        called = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if name == "__init__" and inspect.isfunction(member):
            yield _signature(kind.__name__, member)
        elif not name.startswith("_") and inspect.isfunction(called) and called.__doc__:
            yield f"`.{name}({_names(called)})`: {_told(called)}"


def _signature(name: str, called: Any) -> str:
    """The call as one would write it, an argument a line, with defaults and types."""
    lines, starred = [], False
    for argument in inspect.signature(called).parameters.values():
        if argument.kind is argument.KEYWORD_ONLY and not starred:
            lines.append("    *,")
            starred = True
        if argument.name != "self":
            lines.append(f"    {_argument(argument)},")
    return "\n".join(["```text", f"{name}(", *lines, ")", "```"])


def _argument(argument: inspect.Parameter) -> str:
    star = {argument.VAR_POSITIONAL: "*", argument.VAR_KEYWORD: "**"}.get(argument.kind, "")
    kind = argument.annotation
    told = "" if kind is argument.empty else f": {kind if isinstance(kind, str) else kind.__name__}"
    told_of = repr(argument.default)
    given = "…" if callable(argument.default) or " at 0x" in told_of else told_of
    default = "" if argument.default is argument.empty else f" = {given}"
    return f"{star}{argument.name}{told}{default}"


def _names(called: Any) -> str:
    arguments = [n for n in inspect.signature(called).parameters if n not in ("self", "cls")]
    return ", ".join(arguments)


def _told(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return ROLE.sub("", text).replace("``", "`")


def schema() -> str:
    """Each table of the results database, with its columns."""
    path = HERE / "datasette.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))["databases"]["registry"]["tables"]
    return "\n\n".join(_table(table, told.get(table.name, {})) for table in _tables())


def _tables() -> Iterable[Any]:
    return Base.metadata.sorted_tables


def _table(table: Any, told: dict[str, Any]) -> str:
    meanings = told.get("columns", {})
    rows = [
        f"| `{column.name}` | {_kind(column)} | {meanings.get(column.name, _points_to(column))} |"
        for column in table.columns
    ]
    head = [f"### `{table.name}`", "", told.get("description", ""), ""]
    return "\n".join([*head, "| Column | Type | Meaning |", "|---|---|---|", *rows])


def _kind(column: Any) -> str:
    optional = " or null" if column.nullable and not column.primary_key else ""
    return f"{column.type}{optional}".lower()


def _points_to(column: Any) -> str:
    keys = [key.target_fullname for key in column.foreign_keys]
    return f"`{keys[0]}`" if keys else ""
