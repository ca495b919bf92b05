"""Sentences of a language model in a result document: judged one by one, and put where their evidence stood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.engines.research.backing import Judge
from worker.engines.research.brief import TOLD, Brief
from worker.engines.research.model import Json, Statement
from worker.engines.text.terms import Analyzer

_MOST_SENTENCES = 200
"""Of one answer, that are looked at."""
_MOST_SUMMARY = 6
_MOST_CITED = 4
_KEPT_SHARE = 0.5
"""Of the sentences of a summary, those that must be backed; else the extractive summary stands."""


@dataclass(slots=True)
class Placed:
    """What became of an answer: sentences given and kept, whether a summary and section texts are among them, and why
    others are not."""

    given: int = 0
    kept: int = 0
    summary: bool = False
    sections: bool = False
    dropped: list[Json] = field(default_factory=list)


def place(document: Json, brief: Brief, answer: Json) -> Placed:
    """Put the sentences that stand into summary and sections."""
    placed = Placed()
    marks = _Marks(document["citations"])
    judged = _Judged(brief, marks, placed)
    summary = judged.accepted("summary", answer["summary"], brief.summary)
    enough = len(summary) >= _KEPT_SHARE * len(answer["summary"]) and len(answer["summary"]) <= _MOST_SUMMARY
    if summary and enough:
        placed.summary = True
        placed.kept += len(summary)
        _, parted, rest = document["summary"].partition("\n\n")
        document["summary"] = " ".join(marks.told(item) for item in summary) + parted + rest
        document["summary_sentences"] = [marks.as_json(item) for item in summary]
    by_id = {section["id"]: section for section in document["sections"]}
    given = {item["section"]: item["sentences"] for item in answer["sections"]}
    for number, (section_id, claims) in enumerate(brief.sections.items(), 1):
        sentences = judged.accepted(f"s{number}", given.get(f"s{number}", ()), claims)
        if sentences:
            placed.kept += len(sentences)
            placed.sections = True
            _fill(by_id[section_id], sentences, marks)
    return placed


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    claims: tuple[str, ...]
    statements: tuple[Statement, ...]


class _Judged:
    """The sentences of an answer, accepted or dropped."""

    def __init__(self, brief: Brief, marks: _Marks, placed: Placed) -> None:
        self._by_name = {item.name: item for item in brief.evidence.values()}
        self._marks = marks
        self._placed = placed
        self._judge = Judge(Analyzer("en"))

    def accepted(self, part: str, sentences: Sequence[Json], allowed: Sequence[str]) -> list[_Sentence]:
        """Those of one part, whose claims must be among `allowed`."""
        found: dict[str, _Sentence] = {}
        for number, given in enumerate(sentences, 1):
            self._placed.given += 1
            text = _ended(given["sentence"])
            outcome = "it was said before" if text in found else self._judged(text, given["evidence"], allowed)
            if isinstance(outcome, str):
                self._placed.dropped.append({"part": part, "sentence": number, "reason": outcome})
            else:
                found[text] = outcome
        return list(found.values())

    def _judged(self, text: str, evidence: Sequence[str], allowed: Sequence[str]) -> _Sentence | str:
        """The sentence, or why it is dropped."""
        names = list(dict.fromkeys(evidence))
        if self._placed.given > _MOST_SENTENCES:
            return "there are too many"
        if not names or len(names) > _MOST_CITED:
            return "it cites no evidence" if not names else "it cites too much to be held to it"
        cited = [item for name in names if (item := self._by_name.get(name)) is not None and item.claim in allowed]
        if len(cited) < len(names):
            return "it cites evidence that it was not given"
        quotes = {item.id: item for known in cited for item in known.statements if self._marks.has(item)}
        verdict = self._judge(text, {name: item.text for name, item in quotes.items()})
        if verdict.reason:
            return verdict.reason
        backed = set(verdict.backed)
        claims = tuple(known.claim for known in cited if any(item.id in backed for item in known.statements))
        return _Sentence(text, claims, tuple(quotes[name] for name in verdict.backed))


def _fill(section: Json, sentences: Sequence[_Sentence], marks: _Marks) -> None:
    """A section's text: the sentences, and in their sources' words the claims that none of them tells."""
    told = {claim_id for item in sentences for claim_id in item.claims}
    paragraphs = [" ".join(marks.told(item) for item in sentences)]
    for claim in section["claims"]:
        if claim["id"] not in told and claim["support"] in TOLD:
            paragraphs.append(_paragraph_of(section["body"], claim["text"]))
    section["body"] = "\n\n".join(paragraphs)
    section["sentences"] = [marks.as_json(item) for item in sentences]


def _paragraph_of(body: str, text: str) -> str:
    """The paragraph of a section's extractive text that tells a claim, with its markers."""
    return next((part for part in body.split("\n\n") if part.startswith(text)), text)


class _Marks:
    """Markers as in the rest of the document: ``[n]`` is the n-th citation, counted from 1."""

    def __init__(self, citations: Sequence[Json]) -> None:
        self._places: dict[tuple[str, int, int], tuple[int, str]] = {}
        for number, citation in enumerate(citations, 1):
            for passage in citation["passages"]:
                place = (citation["document_id"], passage["start"], passage["end"])
                self._places.setdefault(place, (number, citation["id"]))

    def has(self, statement: Statement) -> bool:
        return (statement.document_id, statement.start, statement.end) in self._places

    def told(self, sentence: _Sentence) -> str:
        return sentence.text + " " + "".join(f"[{number}]" for number, _ in self._of(sentence))

    def as_json(self, sentence: _Sentence) -> dict[str, Any]:
        citations = [citation_id for _, citation_id in self._of(sentence)]
        return {"text": sentence.text, "claims": list(sentence.claims), "citations": citations}

    def _of(self, sentence: _Sentence) -> Iterator[tuple[int, str]]:
        found = {self._places[item.document_id, item.start, item.end]: None for item in sentence.statements}
        yield from sorted(found)


def _ended(sentence: str) -> str:
    text = sentence.strip()
    return text if not text or text[-1] in ".!?" else text + "."
