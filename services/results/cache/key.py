"""What a finished document is known by: everything that goes into it, and the version of what makes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from services.results.ports import Order
from services.results.rendering.fonts import font_folders
from services.results.rendering.protocol import pack_request

_ROOT = Path(__file__).resolve().parents[3]
SOURCES = (_ROOT / "services" / "results", _ROOT / "kit" / "results_schema")
"""Where everything lies that has a say in the bytes of a document or an answer."""
_IGNORED = frozenset({"__pycache__"})
_LIBRARIES = ("typst", "pypandoc-binary", "vl-convert-python", "lxml", "orjson")


def key_of(version: str, order: Order) -> str:
    """The key of a document, in hex. It takes none of the content, only what tells contents apart."""
    parts = (
        version.encode(),
        order.document.encode(),
        order.execution.encode(),
        b"raw" if order.raw_data else b"",
        order.extra.encode(),
        pack_request(order.request),
    )
    digest = hashlib.sha256()
    for part in parts:
        # With its length, so that no two lists of parts read alike.
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def renderer_version(sources: Iterable[Path] = SOURCES, fonts: Iterable[str] | None = None) -> str:
    """What makes documents, in hex: its own sources and templates, its libraries, and the fonts at hand, by name and
    size. A release that changes any of them never serves what another one made."""
    digest = hashlib.sha256()
    for folder in sources:
        for path in _files(folder):
            digest.update(f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    for library in _LIBRARIES:
        digest.update(f"{library} {_version(library)}\0".encode())
    for place in font_folders() if fonts is None else fonts:
        # Hundreds of megabytes: looked at for name and size only.
        for path in _files(Path(place)):
            digest.update(f"{path.relative_to(place)} {path.stat().st_size}\0".encode())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _IGNORED]
        found += [Path(place) / name for name in names]
    return sorted(found)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
