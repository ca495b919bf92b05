"""Every setting of every process, from the classes that read them: `python -m tools.settings_table`.

Writes docs/settings.md; with --check it only tells whether the file is up to date, and exits with 1 if not.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deploy.checks.processes import PROCESSES
from kit.settings import ServiceSettings

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_COMMON = "session, results, collab, billing, library"
_HEAD = """# Settings

Made by `python -m tools.settings_table` from the classes that read them; do not edit.

Every setting is an environment variable, `PRSM_<PROCESS>_<SETTING>`. Lists and objects are given as JSON. For the
services and the worker, `PRSM_<PROCESS>_<SETTING>_FILE` may name a file that holds the value instead: that is how
secrets are given. A process that misses a setting, or cannot read one, ends with status 2 and one line that names it.
Where there is no default, the setting is needed.
"""


def table(fields: Mapping[str, FieldInfo]) -> str:
    """Settings as rows of a table."""
    rows = ["| setting | kind | default | |", "|---|---|---|---|"]
    rows += [f"| `{name.upper()}` | {_kind(f.annotation)} | {_default(f)} | {_cell(f)} |" for name, f in fields.items()]
    return "\n".join(rows) + "\n"


def render() -> str:
    """The whole page."""
    common = ServiceSettings.model_fields
    parts = [_HEAD, f"\n## Every service\n\nOf {_COMMON}.\n\n", table(common)]
    for name, model in PROCESSES.items():
        own = {field: info for field, info in model.model_fields.items() if not _is_common(model, field)}
        also = " Beside those of every service:" if issubclass(model, ServiceSettings) else ""
        parts += [f"\n## {name}\n\n`PRSM_{name.upper()}_…`.{also}\n\n", table(own)]
    return "".join(parts)


def _is_common(model: type[BaseSettings], field: str) -> bool:
    return issubclass(model, ServiceSettings) and field in ServiceSettings.model_fields


def _kind(annotation: object) -> str:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(part) for part in typing.get_args(annotation) if part is not type(None))
    if origin is typing.Literal:
        return " or ".join(str(part) for part in typing.get_args(annotation))
    if origin is typing.Annotated:
        return _kind(typing.get_args(annotation)[0])
    if origin is list:
        return "list"
    if origin is dict:
        return "object"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))  # type: ignore[call-overload,no-any-return]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    return "none" if value in ("", None) else f"`{_plain(value)}`"


def _plain(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value) if not isinstance(value, Path) else str(value)


def _cell(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|").replace("\n", " ")


def main(arguments: list[str]) -> int:
    """The exit status."""
    text = render()
    if "--check" in arguments:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        sys.stdout.write("docs/settings.md is not up to date; run python -m tools.settings_table\n")
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
