"""Identifiers derived from content, so that the same inputs give the same result document."""

from __future__ import annotations

import hashlib


def content_id(prefix: str, *parts: object) -> str:
    """`prefix`, a hyphen and 12 hex digits of the SHA-256 over the parts (length-prefixed, so none run together)."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(f"{len(encoded)}:".encode())
        digest.update(encoded)
    return f"{prefix}-{digest.hexdigest()[:12]}"


def text_sha256(text: str) -> str:
    """SHA-256 of the UTF-8 form of a document's whole stored text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
