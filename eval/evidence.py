"""Evidence: which sentences a session quotes, beside those that experts chose as the rationale of a claim.

For a sample of claims, a quick session over the right abstract alone, and for a part of them one over a library of many
abstracts. What is quoted counts sentence by sentence, in the order of the result: key findings first, then the other
passages cited. Precision, recall and F1 are micro-averaged: over all sentences of all claims together; "one right" is
the share of claims with at least one rationale sentence among those counted."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.judged import lines_of
from eval.options import Options
from eval.product import Person, Product, gathered
from eval.report import Cell, Report, Table
from worker.engines.text.bm25 import BM25, CollectionStatistics
from worker.engines.text.terms import Analyzer

PART = "evidence"
COUNTED = (1, 2, 3)
_LIBRARY = 1000
_FROM_LIBRARY = 4
"""One session in so many is made over the library as well."""
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Abstract:
    """An abstract cut into sentences by those who marked the rationales."""

    key: str
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)

    def numbers(self, quote: str) -> list[int]:
        """Which sentences a quote of the text holds, each for the greater part; none for a quote of another text."""
        start = self.text.find(quote)
        if start < 0:
            return []
        end, position = start + len(quote), 0
        found = []
        for number, sentence in enumerate(self.sentences):
            left, right = position, position + len(sentence)
            overlap = min(end, right) - max(start, left)
            if 2 * overlap > min(right - left, end - start):
                found.append(number)
            position = right + 1
        return found


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with the numbers of the rationale sentences in one abstract; `label` says what they do to it."""

    text: str
    abstract: Abstract
    rationale: frozenset[int]
    label: str


def claims_in(data: Path) -> list[Claim]:
    """One for every claim and abstract that holds evidence on it, from every file below `data` whose lines have `claim`
    and `evidence` (`doc_id`, `label`, `sentences`) and every `docs.jsonl` whose lines have `sentences`."""
    abstracts: dict[str, Abstract] = {}
    for path in sorted(data.glob("**/docs.jsonl")):
        for line in lines_of(path):
            if "sentences" not in line:
                break
            sentences = tuple(sentence.strip() for sentence in line["sentences"])
            abstracts[str(line["id"])] = Abstract(str(line["id"]), line.get("title") or "", sentences)
    found: list[Claim] = []
    for path in sorted(data.glob("**/*.jsonl")):
        for line in lines_of(path):
            if not isinstance(line.get("evidence"), list) or "claim" not in line:
                break
            marked: dict[str, set[int]] = {}
            labels: dict[str, str] = {}
            for entry in line["evidence"]:
                key = str(entry["doc_id"])
                marked.setdefault(key, set()).update(entry["sentences"])
                labels.setdefault(key, entry["label"])
            found += [
                Claim(line["claim"], abstracts[key], frozenset(numbers), labels[key])
                for key, numbers in marked.items()
                if key in abstracts
            ]
    return found


async def measure(product: Product, data: Path, options: Options) -> Report:
    """`options.sessions` claims drawn by seed, each with the abstract that holds its evidence."""
    claims = claims_in(data)
    chance = random.Random(options.seed)
    drawn = chance.sample(claims, min(options.sessions, len(claims)))
    if not drawn:
        return Report(PART)
    person = product.person("evidence")
    ids = await _stored(person, claims, drawn, chance)
    alone = await gathered(person.results(_body(claim.text, [ids[claim.abstract.key]])) for claim in drawn)
    among = drawn[::_FROM_LIBRARY]
    whole = await gathered(person.results(_body(claim.text, [])) for claim in among)
    figures: dict[str, Any] = {}
    rows: list[list[Cell]] = []
    for name, asked, ranked in (
        ("PRSM, right abstract", drawn, [_quoted(answer, claim) for claim, answer in zip(drawn, alone, strict=True)]),
        ("BM25, right abstract", drawn, [by_bm25(claim) for claim in drawn]),
        ("PRSM, library", among, [_quoted(answer, claim) for claim, answer in zip(among, whole, strict=True)]),
    ):
        for most in COUNTED:
            scores = scored([claim.rationale for claim in asked], [found[:most] for found in ranked])
            rows.append([name, len(asked), most, *scores.values()])
            figures[f"{name}/{most}"] = scores
    answered = sum(bool(answer["results"]["answered"]) for answer in alone)
    figures["answered"] = answered / len(alone)
    columns = ["what", "claims", "sentences", "precision", "recall", "F1", "one right"]
    note = f"Of the sessions over the right abstract, {answered} of {len(alone)} say that the claim is answered."
    return Report(PART, [Table("Sentences quoted", columns, rows, note), _relations(drawn, alone, figures)], figures)


def _relations(claims: Sequence[Claim], answers: Sequence[JSON], figures: dict[str, Any]) -> Table:
    """What the findings are said to do to a claim, beside the experts' label, over findings that quote a rationale."""
    counts: dict[tuple[str, str], int] = {}
    for claim, answer in zip(claims, answers, strict=True):
        for finding in answer["results"]["key_findings"]:
            if claim.rationale.intersection(claim.abstract.numbers(finding.get("quote", ""))):
                kind = (finding.get("relation") or {}).get("kind", "mentions")
                counts[kind, claim.label] = counts.get((kind, claim.label), 0) + 1
    labels = sorted({label for _, label in counts})
    kinds = sorted({kind for kind, _ in counts})
    figures["relations"] = {f"{kind}/{label}": number for (kind, label), number in sorted(counts.items())}
    rows: list[list[Cell]] = [[kind, *(counts.get((kind, label), 0) for label in labels)] for kind in kinds]
    return Table("Relation of rationale sentences to their claims", ["said", *labels], rows)


async def _stored(
    person: Person, claims: Sequence[Claim], drawn: Sequence[Claim], chance: random.Random
) -> Mapping[str, str]:
    """Document ids of the abstracts needed and of others, so many that a library has to be searched."""
    needed = {claim.abstract.key: claim.abstract for claim in drawn}
    others = sorted({claim.abstract.key: claim.abstract for claim in claims}.items())
    chance.shuffle(others)
    for key, abstract in others:
        if len(needed) >= _LIBRARY:
            break
        needed.setdefault(key, abstract)
    lines = [{"title": item.title, "text": item.text, "external_id": key} for key, item in needed.items()]
    answers = await person.batch(lines)
    return {key: str(answer["document_id"]) for key, answer in zip(needed, answers, strict=True)}


def _body(prompt: str, documents: Sequence[str]) -> JSON:
    body: JSON = {"prompt": prompt, "session_type": "research", "preferences": {"depth": "quick", "seed": 1}}
    if documents:
        body["inputs"] = {"documents": [{"document_id": document} for document in documents]}
    return body


def _quoted(answer: JSON, claim: Claim) -> list[int]:
    """Numbers of the sentences quoted, best first; those of other abstracts as negative numbers, each once."""
    quotes = [finding["quote"] for finding in answer["results"]["key_findings"] if finding.get("quote")]
    quotes += [passage["quote"] for citation in answer["citations"] for passage in citation["passages"]]
    found: dict[int, None] = {}
    for place, quote in enumerate(dict.fromkeys(quotes), start=1):
        numbers = claim.abstract.numbers(quote) or [-place]
        found.update(dict.fromkeys(numbers))
    return list(found)


def by_bm25(claim: Claim) -> list[int]:
    """Sentences of the abstract by BM25 of the claim, best first."""
    analyzer = Analyzer()
    terms = [analyzer.terms(sentence) for sentence in claim.abstract.sentences]
    statistics = CollectionStatistics.of(terms)
    model = BM25(statistics.mean_length)
    weights = {term: statistics.idf(term) for term in analyzer.terms(claim.text)}
    values = [model.score(weights, {term: found.count(term) for term in weights}, len(found)) for found in terms]
    return sorted(range(len(values)), key=lambda number: (-round(values[number], 9), number))


def scored(wanted: Sequence[frozenset[int]], found: Sequence[Sequence[int]]) -> dict[str, float]:
    """Micro precision, recall and F1 over all sentences, and the share of claims with one right."""
    hits = [len(want.intersection(got)) for want, got in zip(wanted, found, strict=True)]
    given, asked, right = sum(map(len, found)), sum(map(len, wanted)), sum(hits)
    return {
        "precision": right / given if given else 0.0,
        "recall": right / asked if asked else 0.0,
        "f1": 2 * right / (given + asked) if given + asked else 0.0,
        "one_right": sum(hit > 0 for hit in hits) / len(hits) if hits else 0.0,
    }
