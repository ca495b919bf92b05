"""Secrets given as files: where the variable NAME is a setting, NAME_FILE may name the file that holds its value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


class BadSecretFile(ValueError):
    """The file cannot be read, or the value is given twice; the message names the variable and never a value."""


def value_of(environment: Mapping[str, str], name: str) -> str | None:
    """The value of a variable, from itself or from the file it names, without surrounding white space; None where
    neither is set. Raises BadSecretFile."""
    file = environment.get(f"{name}_FILE", "")
    if not file:
        return environment.get(name)
    if environment.get(name):
        raise BadSecretFile(f"{name} and {name}_FILE are both set")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadSecretFile(f"{name}_FILE: {file} cannot be read: {reason}") from error


def values_from_files(environment: Mapping[str, str], prefix: str, fields: Iterable[str]) -> dict[str, str]:
    """The fields whose values stand in files, by name. Raises BadSecretFile."""
    found: dict[str, str] = {}
    for field in fields:
        name = f"{prefix}{field}".upper()
        if environment.get(f"{name}_FILE"):
            found[field] = value_of(environment, name) or ""
    return found
