"""That no season was found, where the question is about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from worker.engines.analysis.findings.draft import Draft, confidence, doubts_of
from worker.engines.analysis.wording import listed, p_value


def no_season(result: Mapping[str, Any], rows: int) -> Iterator[Draft]:
    """Of a trend whose series was tested for seasons without one being found."""
    looked = result["seasonality"]["looked_for"]
    if result["seasonality"]["found"] is not None or not looked:
        return
    response, time = result["response"], result["time"] or "the order of rows"
    periods = [f"{item['period']} {'values' if item['unit'] == 'step' else item['unit'] + 's'}" for item in looked]
    least = min(item["p_adjusted"] for item in looked)
    text = (
        f"No season of {response} was found over {time}: a period of {listed(periods)} was tested (smallest "
        f"Holm-adjusted {p_value(least)}, n = {result['n']})."
    )
    numbers = {"looked_for": len(looked), "p_adjusted": least, "n": result["n"]}
    columns = (response,) if result["time"] is None else (response, result["time"])
    sure = confidence(1.0, result["n"], min(1.0, result["n"] / rows), doubts_of(result))
    yield Draft(text, numbers, 0.0, sure, columns, "trend", established=False)
