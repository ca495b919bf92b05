"""What holds of names everywhere in the API: formats of texts, and how services are called."""

from __future__ import annotations

from typing import Final

_AMOUNTS: Final = frozenset(
    {
        *("amount", "min", "max", "limit", "unit_price", "refund_amount"),
        *("available", "available_after", "held", "charged", "released"),
    }
)
_IDS: Final = frozenset(["session_id", "document_id", "comment_id", "parent_id", "share_id", "transaction_id"])
DECIMAL_PATTERN: Final = r"^-?(0|[1-9][0-9]*)[.][0-9]{2,6}$"

TAGS: Final = {
    "SessionService": "Sessions",
    "ResultsService": "Results",
    "CitationStyleService": "Citation styles",
    "CollabService": "Collaboration",
    "LibraryService": "Library",
    "BillingService": "Billing",
}
"""How the parts of the API are called, in the order in which they are shown."""
OPERATIONS_TAG: Final = "Operation"


def format_of(name: str) -> str | None:
    """The format that texts in fields of this name have in answers, by its name in the OpenAPI format registry."""
    if name in _AMOUNTS:
        return "decimal"
    return "uuid" if name in _IDS else None
