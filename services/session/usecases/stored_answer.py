"""The answer of CreateSession, and how it is kept for a retry with the same key."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from services.session.domain import Status
from services.session.ports import Estimate, EstimateItem


@dataclass(frozen=True, slots=True)
class Created:
    """`minutes` is the expected duration."""

    session_id: str
    status: Status
    minutes: int
    estimate: Estimate
    created_at: int


def write_answer(created: Created) -> str:
    estimate = created.estimate
    body = {
        "session_id": created.session_id,
        "status": created.status.value,
        "minutes": created.minutes,
        "created_at": created.created_at,
        "amount": estimate.amount,
        "least": estimate.least,
        "most": estimate.most,
        "currency": estimate.currency,
        "items": [asdict(item) for item in estimate.items],
    }
    return json.dumps(body, separators=(",", ":"))


def read_answer(text: str) -> Created:
    """Without the price list, which no answer shows."""
    body = json.loads(text)
    estimate = Estimate(
        amount=body["amount"],
        least=body["least"],
        most=body["most"],
        currency=body["currency"],
        items=tuple(EstimateItem(**item) for item in body["items"]),
        prices={},
    )
    return Created(body["session_id"], Status(body["status"]), body["minutes"], estimate, body["created_at"])
