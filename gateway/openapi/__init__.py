"""The REST API's description: an OpenAPI document made from the contract, and a page to read it on.

Imported by the gateway and by what renders Envoy's configuration; nothing here needs an HTTP library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from gateway.openapi.pages import DOCS_PATH, OPENAPI_PATH, RESULTS_SCHEMA_PATH

PATHS: Final = (OPENAPI_PATH, DOCS_PATH, f"{DOCS_PATH}/docs.css", f"{DOCS_PATH}/docs.js", RESULTS_SCHEMA_PATH)
"""Where the description is served, without a token."""

HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
"""Headers of all of them, beside `Content-Type` and `ETag`."""

_ASSETS: Final = Path(__file__).parent / "assets"


@lru_cache(maxsize=2)
def served(descriptors: bytes) -> dict[str, tuple[str, bytes]]:
    """Path → (content type, body) of everything that describes the API; the same bytes for the same descriptors.

    `descriptors` is a serialized FileDescriptorSet with its source information. Takes a fraction of a second, once.
    Raises ValueError for a contract that cannot be described.
    """
    from gateway.openapi.document import build
    from gateway.openapi.page import render
    from kit import results_schema

    document = build(descriptors)
    written = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    style, script = ((_ASSETS / name).read_bytes() for name in ("docs.css", "docs.js"))
    bodies = (
        ("application/json", written),
        ("text/html; charset=utf-8", render(document).encode()),
        ("text/css; charset=utf-8", style),
        ("text/javascript; charset=utf-8", script),
        ("application/schema+json", results_schema.written()),
    )
    return dict(zip(PATHS, bodies, strict=True))


def etag_of(body: bytes) -> str:
    """A strong entity tag, by content."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
