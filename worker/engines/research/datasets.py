"""Stage *analyse*: the session's datasets, by the same code as analysis sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.engines.base import EngineError, StageContext
from worker.engines.research.model import Json
from worker.engines.research.settings import Settings

_HYPOTHESES = "hypotheses"


async def run(ctx: StageContext) -> Json:
    """The blocks of each dataset: `datasets` is a list of `{document_id, name, blocks}`.

    A dataset that cannot be analysed is left out with its reason.

    Raises:
        EngineError: that of the analysis, when no dataset can be used and there is no document either.
    """
    settings = Settings.of(ctx.job)
    options = ctx.job.preferences.get("analysis") or {}
    found: list[Json] = []
    refused: list[EngineError] = []
    done = 0
    for document_id in ctx.job.datasets:
        if ctx.write_up and found:
            break
        given, path = await ctx.sources.dataset_file(document_id)
        name = _distinct(given, {item["name"] for item in found})
        try:
            blocks = await ctx.run(_analyse, name, path, ctx.job.prompt, options, settings.seed)
        except EngineError as error:
            refused.append(error)
            excluded = [{"document_id": document_id, "title": name, "reason": str(error)}]
            ctx.decide("dataset left out", f"{name}: {error}", excluded=excluded)
        else:
            found.append({"document_id": document_id, "name": name, "blocks": blocks})
            _report(ctx, blocks)
        done += 1
        await ctx.step(done, len(ctx.job.datasets))
    if refused and not found and not ctx.outputs["gather"]["candidates"]:
        raise refused[0]
    return {"datasets": found, "cut_short": done < len(ctx.job.datasets)}


def _report(ctx: StageContext, blocks: Json) -> None:
    rows = sum(int(entry["result"].get("rows", 0)) for entry in blocks["analysis"] if entry["kind"] == "profile")
    ctx.use("row_read", rows)
    for entry in blocks["decisions"]:
        ctx.decide(entry["decision"], entry["reason"], alternatives=entry["alternatives"], excluded=entry["excluded"])


def _distinct(name: str, taken: set[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found = f"{name} ({number})"
        number += 1
    return found


def _analyse(name: str, path: str, prompt: str, options: Mapping[str, Any], seed: int) -> Json:
    """The blocks of one dataset. Where no task was asked for by name, hypotheses are tested as well: a research session
    owes them whether or not its prompt brings the word."""
    # Imported here: the statistics libraries cost seconds of CPU that sessions without data need not pay.
    from worker.engines.analysis.engine import analyse_dataset

    blocks = dict(analyse_dataset(name, path, prompt, options, seed=seed))
    if options.get("tasks") or any(entry["kind"] == _HYPOTHESES for entry in blocks["analysis"]):
        return blocks
    asked = {**options, "tasks": [{"kind": _HYPOTHESES}]}
    more = analyse_dataset(name, path, prompt, asked, seed=seed)
    tested = [entry for entry in more["analysis"] if entry["kind"] == _HYPOTHESES and entry["result"].get("hypotheses")]
    if tested:
        blocks["analysis"] = [*blocks["analysis"], *tested]
        for part in ("tables", "figures"):
            known = {item["id"] for item in blocks[part]}
            blocks[part] = [*blocks[part], *(item for item in more[part] if item["id"] not in known)]
    return blocks
