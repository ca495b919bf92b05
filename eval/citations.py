"""Research sessions on real documents, of varied prompts and depths, whose every quote is looked up in the stored text.

What must not be: a quote that does not stand at its offsets, a wrong hash, a screening flow that does not add up, a
marker without its citation, something unverified that is shown as supported, another result for the same session."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from eval.checks import problems_of
from eval.options import Options
from eval.product import Person, Product, gathered
from eval.questions import QuestionSet, question_sets
from eval.report import Cell, Report, Table

PART = "citations"
_TEXTS_OF_A_SET = 400
_QUESTIONS_OF_A_SET = 200
_LARGEST_FILE = 40 * 1024 * 1024
_REPEATED = 10
_DEPTHS = ("quick", "standard", "standard", "deep")
_GENERAL = (
    "Summarise these documents",
    "What do these documents say?",
    "What are the key findings?",
    "What methods were used, and what was found?",
)
JSON = dict[str, Any]


async def measure(product: Product, data: Path, options: Options) -> Report:
    """`options.sessions` sessions over every file below `data/documents` and texts of every set of questions."""
    person = product.person("citations")
    files = await _files(person, data / "documents")
    sets = [found for found in question_sets(data, seed=options.seed, most=_QUESTIONS_OF_A_SET) if found.questions]
    texts = [await _texts(person, found) for found in sets]
    bodies = _bodies(random.Random(options.seed), files, sets, texts, options.sessions)
    store: dict[str, asyncio.Task[str]] = {}
    answers = await gathered(person.results(body) for body in bodies)
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for body, answer in zip(bodies, answers, strict=True):
        held = await _stored(person, store, answer)
        found, seen = problems_of(answer, held)
        counts += seen
        problems += [f"{body['prompt'][:80]!r}: {problem}" for problem in found]
    again = await gathered(person.results(body) for body in bodies[:_REPEATED])
    changed = [
        body["prompt"]
        for body, first, second in zip(bodies, answers, again, strict=False)
        if _deterministic(first) != _deterministic(second)
    ]
    problems += [f"{prompt[:80]!r}: another result when repeated" for prompt in changed]
    rows: list[list[Cell]] = [[name, counts[name]] for name in _ROWS]
    rows += [["repeated", len(again)], ["repeated, other bytes", len(changed)], ["problems", len(problems)]]
    figures = {**{name: counts[name] for name in _ROWS}, "repeated": len(again), "problems": len(problems)}
    return Report(PART, [Table("Quotes and what rests on them", ["what", "number"], rows)], figures, problems)


_ROWS = ("sessions", "answered", "quotes", "quotes at their offsets", "documents cited", "claims", "markers")


async def _files(person: Person, folder: Path) -> list[str]:
    """Ids of the files that could be read."""
    ids = []
    for path in await asyncio.to_thread(_listed, folder):
        status, answer = await person.upload(path)
        if status == 201 and answer.get("characters"):
            ids.append(str(answer["document_id"]))
    return ids


def _listed(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*")) if folder.is_dir() else []
    return [path for path in found if path.suffix not in (".json", ".csv") and path.stat().st_size <= _LARGEST_FILE]


async def _texts(person: Person, found: QuestionSet) -> dict[str, str]:
    """Ids by key of a part of a set's documents, those that answer first."""
    wanted = [key for question in found.questions for key in question.answers if key in found.documents]
    keys = list(dict.fromkeys([*wanted, *found.documents]))[:_TEXTS_OF_A_SET]
    lines = [
        {"title": item.title or key, "text": item.text, "external_id": f"{found.name}-{key}"}
        for key in keys
        if (item := found.documents[key]).text.strip()
    ]
    answers = await person.batch(lines)
    held = [key for key in keys if found.documents[key].text.strip()]
    return {key: str(answer["document_id"]) for key, answer in zip(held, answers, strict=True)}


def _bodies(
    chance: random.Random,
    files: Sequence[str],
    sets: Sequence[QuestionSet],
    texts: Sequence[Mapping[str, str]],
    most: int,
) -> list[JSON]:
    """Sessions of every kind in turn: over the whole library, over a few documents named, over files, an overview, a
    comparison of two questions' subjects, several questions at once."""
    bodies: list[JSON] = []
    for number in range(most):
        place = number % len(sets) if sets else -1
        asked = [question.prompt for question in sets[place].questions] if sets else list(_GENERAL)
        ids = sorted(texts[place].values()) if sets else list(files)
        prompt = chance.choice(asked)
        named: list[str] = []
        kind = number % 6
        if kind == 1:
            named = chance.sample(ids, min(len(ids), chance.randint(1, 12)))
        elif kind == 2 and files:
            named = chance.sample(list(files), min(len(files), chance.randint(1, 4)))
            prompt = chance.choice([*_GENERAL, prompt])
        elif kind == 3:
            named = chance.sample(ids, min(len(ids), chance.randint(1, 30)))
            prompt = chance.choice(_GENERAL)
        elif kind == 4:
            prompt = f"{prompt.rstrip(' .?')}? {chance.choice(asked).rstrip(' .?')}?"
        elif kind == 5 and files:
            named = [*files, *chance.sample(ids, min(len(ids), 20))]
        preferences: JSON = {"depth": chance.choice(_DEPTHS), "seed": number}
        body: JSON = {"prompt": prompt, "session_type": "research", "preferences": preferences}
        if named:
            body["inputs"] = {"documents": [{"document_id": document_id} for document_id in named]}
        bodies.append(body)
    return bodies


async def _stored(person: Person, store: dict[str, asyncio.Task[str]], answer: JSON) -> dict[str, tuple[str, str]]:
    """Text and its SHA-256 of every document cited, each fetched once for all sessions."""
    held = {}
    for citation in answer["citations"]:
        document_id = citation["document_id"]
        if document_id not in store:
            store[document_id] = asyncio.create_task(person.text(document_id))
        text = await store[document_id]
        held[document_id] = (text, hashlib.sha256(text.encode()).hexdigest())
    return held


def _deterministic(answer: JSON) -> bytes:
    kept = {name: answer[name] for name in ("results", "summary", "citations", "confidence_score")}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
