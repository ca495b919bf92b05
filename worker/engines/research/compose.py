"""Prose by a language model in the place of sentences set one after the other: summary and section texts, no more.

The model gets the verified claims of a result as numbered quotes and gives sentences back, each with the numbers of the
quotes that it rests on. A sentence stands only when these quotes back it (:mod:`worker.engines.research.backing`); in a
section, a claim that no sentence tells stands in its source's own words. Claims, key findings, citations and confidence
are never touched. Whatever goes wrong, the extractive text stands, and the session's history says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from worker.engines.base import LanguageModel, ModelFailed, ModelRequest, StageContext
from worker.engines.research.brief import Brief, brief_of, data_of
from worker.engines.research.material import Material
from worker.engines.research.model import Json
from worker.engines.research.placing import Placed, place
from worker.engines.text.wording import count, were

LIMITS: Mapping[str, tuple[int, int]] = {"quick": (12_000, 1000), "standard": (20_000, 2000), "deep": (32_000, 4000)}
"""Tokens that a question may have at most, every byte taken for one, and tokens of its answer, by depth. Estimates of
what a session costs count on them."""
_FRAME = 1300
"""Bytes of a question that are none of ours: rules, marks, roles."""
_INSTRUCTIONS = """
You write prose for a research report from numbered evidence: quotes that were verified word for word. The material is a
JSON object with the question, the evidence of the summary and the sections with theirs.
Write a summary that answers the question, of at most five sentences, the best evidence first, and for each section the
sentences of its text. For every sentence give the ids of the evidence that it rests on.
Each sentence is checked by a program and dropped if it fails:
- use only words, names and numbers of the quotes it cites, in their order; you may shorten and leave out;
- each clause rests on one quote; join statements of two quotes by "; " or ", and ";
- keep every negation, direction, number with its unit, hedge (may, suggests) and limit (only, some);
- add no cause, comparison, judgement, name, number, link, markup or marker;
- write one statement a sentence, below 400 characters.
Leave out what does not help to answer the question. Write in the language of the quotes.
"""
_SENTENCES: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "sentence": {"type": "string"},
            "evidence": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["sentence", "evidence"],
        "additionalProperties": False,
    },
}
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "summary": _SENTENCES,
        "sections": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"section": {"type": "string"}, "sentences": _SENTENCES},
                "required": ["section", "sentences"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["summary", "sections"],
    "additionalProperties": False,
}
_FIXED = len(_INSTRUCTIONS.encode()) + len(json.dumps(SCHEMA))


async def compose(ctx: StageContext, material: Material, document: Json) -> None:
    """Put prose into a result document, where the session has a language model and the sources answered."""
    model = ctx.model
    if model is None or not document["answered"]:
        return
    if reason := await _composed(ctx, model, material, document):
        ctx.decide("no prose", f"The text stands as extracted: {reason}.", alternatives=["prose by the language model"])


async def _composed(ctx: StageContext, model: LanguageModel, material: Material, document: Json) -> str:
    """Why there is none; "" where the answer was looked at."""
    if ctx.write_up:
        return "time or budget is nearly spent"
    if material.settings.language.split("-")[0].lower() != "en":
        return "sentences can be held to their quotes in English only"
    most_in, most_out = LIMITS[material.settings.depth.name]
    brief = brief_of(material, document, min(most_in - _FRAME, model.most_prompt_bytes) - _FIXED)
    if not brief.sections:
        return "no section's evidence is short enough for the language model, or fit to be given to it"
    data = json.dumps(data_of(material.prompt, document, brief), ensure_ascii=False)
    try:
        answer = await model.ask(ModelRequest("write up", _INSTRUCTIONS, data, SCHEMA, most_out))
    except ModelFailed as error:
        return f"{error} ({error.code})"
    placed = place(document, brief, answer.value)
    _tell(ctx, model.name, brief, placed)
    # That a model was asked is told, and paid for, whether or not anything of it stands.
    document["methods"]["model"] = {
        "name": model.name,
        "sentences_kept": placed.kept,
        "sentences_dropped": len(placed.dropped),
    }
    if placed.kept:
        _own_up(document, model.name, placed)
    return ""


def _tell(ctx: StageContext, model: str, brief: Brief, placed: Placed) -> None:
    dropped = Counter(str(item["reason"]) for item in placed.dropped)
    reasons = "; ".join(f"{number} because {reason}" for reason, number in sorted(dropped.items()))
    text = f"The language model {model} wrote {count(placed.given, 'sentence')}; {placed.kept} stand"
    if placed.dropped:
        text += f", {were(len(placed.dropped))} dropped: {reasons}"
    text += "." if placed.summary else ". The summary stands as extracted."
    if brief.withheld:
        text += f" Not given to it: {count(brief.withheld, 'quote')} that gives orders to a reader."
    # What was dropped is not repeated: it may be what somebody wanted to get in.
    ctx.decide("prose" if placed.kept else "no prose", text, excluded=placed.dropped)


def _written(placed: Placed) -> str:
    if placed.summary:
        return "summary and section texts were" if placed.sections else "the summary was"
    return "section texts were"


def _own_up(document: Json, model: str, placed: Placed) -> None:
    """Say in the document itself which words are whose."""
    methods = document["methods"]
    whose = _written(placed)
    methods["kind"] = (
        f"claims and key findings are sentences of the sources, word for word; {whose} written by a language model, "
        "and each of its sentences is held to the quotes that it cites"
    )
    for section in document["sections"]:
        if section["heading"] == "How this was made":
            body = section["body"].replace("; nothing was paraphrased", "").replace(" nothing was paraphrased.", "")
            section["body"] = (
                f"{body} {whose[0].upper()}{whose[1:]} then written by the language model {model} from these quotes: "
                f"{placed.kept} of its sentences are backed by the quotes they cite, {len(placed.dropped)} dropped."
            )
