"""Collab's named errors."""

from __future__ import annotations

from kit.errors import PrsmError


class ShareNotFound(PrsmError):
    reason = "SHARE_NOT_FOUND"


class CommentNotFound(PrsmError):
    reason = "COMMENT_NOT_FOUND"
