"""Execution metadata: the facts of a run, which change from run to run and so stay out of the results."""

from __future__ import annotations

from collections.abc import Mapping

from services.results.rendering import blocks
from services.results.rendering.reading import JSON
from services.results.rendering.report import Block
from services.results.rendering.values import number

ExecutionMetadata = Mapping[str, JSON]
"""`session_id`, `session_type`, `prompt`, `created_at`, `started_at`, `finished_at` (RFC 3339), `execution_time`
(running seconds), `cost` (`{amount, currency}`), and what the engine says of itself."""

# The prompt heads the report already.
_SHOWN_ELSEWHERE = frozenset({"prompt"})


def run_facts(metadata: ExecutionMetadata, labels: dict[str, str]) -> tuple[Block, ...]:
    """The facts of the run, for the end of a report."""
    shown: dict[str, JSON] = {}
    for name, value in metadata.items():
        if name in _SHOWN_ELSEWHERE or value is None:
            continue
        label = labels.get(name, name)
        if isinstance(value, Mapping) and set(value) == {"amount", "currency"}:
            shown[label] = f"{value['amount']} {value['currency']}"
        elif name == "execution_time" and isinstance(value, (int, float)):
            shown[label] = f"{number(value)} s"
        else:
            shown[label] = value
    return tuple(blocks.lay_out(shown, labels))
