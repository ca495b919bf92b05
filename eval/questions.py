"""Prompts with the documents that answer them, found below a folder by the structure of its files."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.judged import collections_in, lines_of

_TITLE_WORDS = 8
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Text:
    """A document: its title and its text."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and where it is answered: spans of the text by document id; no span means anywhere in it."""

    prompt: str
    answers: Mapping[str, Spans]

    def answered_by(self, document_id: str, start: int, end: int) -> bool:
        """Whether a quote is from a document that answers and, where the place is known, overlaps with it."""
        spans = self.answers.get(document_id)
        return spans is not None and (not spans or any(start < last and first < end for first, last in spans))


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions to one library. `complete`: every document that answers is known; without these nothing does."""

    name: str
    documents: Mapping[str, Text]
    questions: Sequence[Question]
    complete: bool = True


def question_sets(folder: Path, *, seed: int, most: int) -> Iterator[QuestionSet]:
    """All sets below a folder, each with at most so many questions, drawn by the seed:

    - `*.jsonl` with `question` and `contexts`: the contexts are the document that answers, under its own first words;
    - `*.jsonl` with `claim` and `evidence`, beside a collection whose documents have `sentences`;
    - folders with judged queries: every relevant document answers.
    """
    claimed: set[Path] = set()
    for path in sorted(folder.glob("**/*.jsonl")):
        first = next(lines_of(path), {})
        if {"question", "contexts"} <= first.keys():
            yield _drawn(_contexts(path), seed, most)
        elif {"claim", "evidence"} <= first.keys():
            home = _home_of(path, folder)
            if home is not None:
                claimed.add(home)
                yield _drawn(_claims(path, home), seed, most)
    for collection in collections_in(folder):
        if not any(home.name == collection.name for home in claimed):
            documents = {str(item["id"]): Text(item["title"], item["text"]) for item in collection.documents}
            questions = [
                Question(text, dict.fromkeys(collection.judged[query], ()))
                for query, text in collection.queries.items()
            ]
            yield _drawn(QuestionSet(collection.name, documents, questions, complete=False), seed, most)


def _drawn(found: QuestionSet, seed: int, most: int) -> QuestionSet:
    questions = sorted(found.questions, key=lambda question: question.prompt)
    random.Random(seed).shuffle(questions)
    return replace(found, questions=questions[:most])


def _contexts(path: Path) -> QuestionSet:
    documents, questions = {}, []
    for number, line in enumerate(lines_of(path)):
        key, text = f"{path.stem}-{line.get('id', number)}", "\n\n".join(line["contexts"])
        documents[key] = Text(" ".join(text.split()[:_TITLE_WORDS]), text)
        questions.append(Question(line["question"], {key: ()}))
    return QuestionSet(path.stem, documents, questions)


def _claims(path: Path, home: Path) -> QuestionSet:
    documents, places = {}, {}
    for line in lines_of(home / "docs.jsonl"):
        key = str(line["id"])
        documents[key] = Text(line["title"], line["text"])
        places[key] = _places(line["text"], line["sentences"])
    questions = []
    for line in lines_of(path):
        answers: dict[str, list[tuple[int, int]]] = {}
        for item in line["evidence"]:
            found = places.get(str(item["doc_id"]), {})
            spans = [found[number] for number in item["sentences"] if number in found]
            answers.setdefault(str(item["doc_id"]), []).extend(spans)
        if answers and answers.keys() <= documents.keys():
            questions.append(Question(line["claim"], answers))
    return QuestionSet(path.stem, documents, questions)


def _places(text: str, sentences: Sequence[str]) -> dict[int, tuple[int, int]]:
    found, position = {}, 0
    for number, sentence in enumerate(sentences):
        start = text.find(sentence.strip(), position)
        if start >= 0:
            position = start + len(sentence.strip())
            found[number] = (start, position)
    return found


def _home_of(path: Path, folder: Path) -> Path | None:
    """The collection whose documents, cut into sentences, a file of claims names."""
    wanted: set[str] = {str(item["doc_id"]) for line in lines_of(path) for item in line["evidence"]}
    for docs in sorted(folder.glob("**/docs.jsonl")):
        first: dict[str, Any] = next(lines_of(docs), {})
        if "sentences" in first and wanted <= {str(line["id"]) for line in lines_of(docs)}:
            return docs.parent
    return None
