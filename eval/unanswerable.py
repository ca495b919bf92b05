"""Questions to a library that holds the answers to half of them: what is answered, what is said to be not found, and
how well the confidence of a result tells which is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.calibration import Trial, figures_of, table_of
from eval.options import Options
from eval.product import Person, Product, gathered
from eval.questions import Question, QuestionSet, question_sets
from eval.report import Report, Table

PART = "unanswerable"
_MOST_DOCUMENTS = 3_000
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Stored:
    """A library with the ids that its documents got."""

    person: Person
    ids: Mapping[str, str]


async def measure(product: Product, data: Path, options: Options) -> Report:
    """One library a set of questions: all its documents but those that answer every second question. Half of
    `options.sessions` questions of each set are put that it can answer, half that it cannot; and a quarter as many of
    both to the ten documents alone that are nearest to the question."""
    trials: dict[str, list[Trial]] = {}
    problems: list[str] = []
    for found in question_sets(data, seed=options.seed, most=options.sessions):
        if not found.complete:
            continue
        withheld = {key for question in found.questions[1::2] for key in question.answers}
        # A document may answer two questions: where it is withheld for one, the other cannot be answered in full, and
        # is not asked.
        asked = [
            (question, number % 2 == 0)
            for number, question in enumerate(found.questions)
            if number % 2 or withheld.isdisjoint(question.answers)
        ]
        stored = await _store(product, found, withheld)
        trials[found.name] = await gathered(_ask(stored, question, held, {}) for question, held in asked)
        few = [_few(stored, question, held) for question, held in asked[: len(asked) // 4]]
        trials[f"{found.name}, few documents"] = await gathered(few)
        for name in (found.name, f"{found.name}, few documents"):
            problems += [f"{name}: {trial.problem}" for trial in trials[name] if trial.problem]
    everything = [trial for some in trials.values() for trial in some]
    rows = [[name, *figures_of(some).values()] for name, some in [*trials.items(), ("all", everything)] if some]
    columns = ["questions", *figures_of(everything)]
    note = (
        "Right: the first key finding quotes the place that answers. Withheld: said to be not found although the "
        "documents that answer are there. Brier score and expected calibration error (ECE) are of `confidence_score` "
        "against right."
    )
    figures = {name: figures_of(some) for name, some in {**trials, "all": everything}.items() if some}
    return Report(PART, [Table("Answered or not found", columns, rows, note), table_of(everything)], figures, problems)


async def _store(product: Product, found: QuestionSet, withheld: set[str]) -> _Stored:
    person = product.person(f"unanswerable-{found.name}")
    wanted = {key for question in found.questions for key in question.answers}
    rest = [key for key in found.documents if key not in wanted][: max(0, _MOST_DOCUMENTS - len(wanted))]
    kept = [key for key in [*sorted(wanted), *rest] if key not in withheld]
    answers = await person.batch(
        [
            {"title": found.documents[key].title or key, "text": found.documents[key].text, "external_id": key}
            for key in kept
        ]
    )
    return _Stored(person, {key: str(answer["document_id"]) for key, answer in zip(kept, answers, strict=True)})


async def _few(stored: _Stored, question: Question, held: bool) -> Trial:
    """The same question to ten documents, those that answer among them where they are held."""
    keys = {document_id: key for key, document_id in stored.ids.items()}
    near = [hit["document_id"] for hit in await stored.person.search(question.prompt, limit=10)]
    answering = [stored.ids[key] for key in question.answers if key in stored.ids] if held else []
    chosen = list(dict.fromkeys([*answering, *(item for item in near if keys[item] not in question.answers)]))[:10]
    if not chosen:
        return Trial(held, answered=False, right=False, confidence=0.0)
    inputs = {"documents": [{"document_id": document_id} for document_id in chosen]}
    return await _ask(stored, question, held, {"inputs": inputs})


async def _ask(stored: _Stored, question: Question, held: bool, more: Mapping[str, Any]) -> Trial:
    answer = await stored.person.results({"prompt": question.prompt, "session_type": "research", **more})
    result, score = answer["results"], float(answer["confidence_score"])
    answered = bool(result["answered"])
    findings: Sequence[JSON] = result["key_findings"]
    told = str(answer["summary"]).startswith("Not found in these sources")
    problem = "" if answered == bool(findings) != told else f"neither answered nor not found: {question.prompt}"
    if not answered:
        return Trial(held, answered=False, right=False, confidence=score, problem=problem)
    keys = {document_id: key for key, document_id in stored.ids.items()}
    places = [
        (keys[citation["document_id"]], int(passage["start"]), int(passage["end"]))
        for citation in answer["citations"]
        if citation["id"] in findings[0]["citations"]
        for passage in citation["passages"]
        if passage["quote"] == findings[0]["quote"]
    ]
    right = held and any(question.answered_by(*place) for place in places)
    return Trial(held, answered=True, right=right, confidence=score, problem=problem)
