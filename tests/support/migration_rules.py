"""Which migrations a release of one version before could not live with."""

from __future__ import annotations

import ast
from pathlib import Path

ADDING = frozenset({"create_table", "create_index", "add_column"})
"""Operations after which the statements of the release before still mean what they meant."""
FIRST = "0001"


def breaking(migration: Path, helpers: Path) -> list[str]:
    """What in a migration's `upgrade` is not a mere addition; empty when the release before works on its outcome.

    Rows that the older release writes must go in, and those that it reads must be as it knows them: so nothing is
    dropped, renamed, altered or made unique, and a new column of a table that was there may be left out of an INSERT.
    Data is not changed by hand either, since nothing tells what the change means to older code. Functions of `helpers`
    are looked into.
    """
    steps = [node for node in ast.parse(migration.read_text()).body if isinstance(node, ast.FunctionDef)]
    upgrades = [node for node in steps if node.name == "upgrade"]
    if len(upgrades) != 1:
        return ["there is no upgrade()"]
    known = {node.name: node for node in ast.parse(helpers.read_text()).body if isinstance(node, ast.FunctionDef)}
    calls: list[ast.Call] = []
    faults: list[str] = []
    for call in _calls(upgrades[0]):
        helper = call.func.id if isinstance(call.func, ast.Name) else ""
        if helper in known:
            calls += _calls(known[helper])
        elif helper:
            faults.append(f"line {call.lineno}: {helper}() is not looked into")
        calls.append(call)
    created = {_text(call.args[0]) for call in calls if _operation(call) == "create_table"}
    for call in calls:
        name = _operation(call)
        if name is not None and name not in ADDING:
            faults.append(f"line {call.lineno}: op.{name}")
        elif name == "create_index" and _is_true(call, "unique") and _text(call.args[1]) not in created:
            faults.append(f"line {call.lineno}: what was no fault becomes one: a unique index on {_text(call.args[1])}")
        elif name == "add_column" and _text(call.args[0]) not in created and not _may_be_left_out(call.args[1]):
            faults.append(f"line {call.lineno}: a new column of {_text(call.args[0])} without a default for older code")
    return faults


def _calls(function: ast.FunctionDef) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def _operation(call: ast.Call) -> str | None:
    function = call.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "op":
        return function.attr
    return None


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


def _is_true(call: ast.Call, keyword: str) -> bool:
    return any(
        k.arg == keyword and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in call.keywords
    )


def _may_be_left_out(column: ast.expr) -> bool:
    """Whether the database fills a column in by itself."""
    if not isinstance(column, ast.Call):
        return False
    given = {k.arg: k.value for k in column.keywords}
    nullable = given.get("nullable")
    refuses_null = isinstance(nullable, ast.Constant) and nullable.value is False
    return "server_default" in given or not refuses_null
