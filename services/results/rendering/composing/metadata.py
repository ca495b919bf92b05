"""Execution metadata: the facts of a run, which change from run to run and so stay out of the results."""

from __future__ import annotations

from collections.abc import Mapping

from services.results.rendering.composing import blocks
from services.results.rendering.composing.report import Block
from services.results.rendering.composing.values import moment, number, words
from services.results.rendering.reading import JSON

ExecutionMetadata = Mapping[str, JSON]
"""`session_id`, `session_type`, `prompt`, `created_at`, `started_at`, `finished_at` (RFC 3339), `execution_time`
(running seconds), `cost` (`{held, charged, released, currency}` or `{amount, currency}`), `resource_usage`, and what
the engine says of itself."""

# The prompt heads the report already.
_SHOWN_ELSEWHERE = frozenset({"prompt"})
_MOMENTS = frozenset({"created_at", "started_at", "finished_at"})
_FIRST = (
    *("session_id", "session_type", "engine", "engine_version", "created_at", "started_at", "finished_at"),
    *("execution_time", "cost", "resource_usage"),
)


def run_facts(metadata: ExecutionMetadata, labels: dict[str, str]) -> tuple[Block, ...]:
    """The facts of the run, for the end of a report."""
    shown: dict[str, JSON] = {}
    for name in dict.fromkeys((*_FIRST, *sorted(metadata))):
        value = metadata.get(name)
        if name in _SHOWN_ELSEWHERE or value is None:
            continue
        if name == "cost" and isinstance(value, Mapping) and "currency" in value:
            shown.update(_cost(value, labels))
        elif name == "resource_usage" and isinstance(value, Mapping):
            shown.update({labels.get(str(part)) or words(str(part)): used for part, used in value.items()})
        elif name == "execution_time" and isinstance(value, (int, float)):
            shown[labels[name]] = f"{number(value)} s" if value >= 1 else labels["under_a_second"]
        elif name == "session_type" and isinstance(value, str):
            shown[labels[name]] = labels.get(value, value)
        elif name in _MOMENTS:
            shown[labels[name]] = moment(value) or value
        else:
            shown[labels.get(name) or words(name)] = value
    return tuple(blocks.lay_out(shown, labels))


def _cost(cost: Mapping[str, JSON], labels: dict[str, str]) -> dict[str, JSON]:
    """Each amount with its currency."""
    amounts = ((part, amount) for part, amount in cost.items() if part != "currency" and amount is not None)
    return {labels.get(f"cost_{part}", labels["cost"]): f"{amount} {cost['currency']}" for part, amount in amounts}
