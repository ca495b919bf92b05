"""The library's index by size: how long it takes to build, what it holds in memory, how long searches take.

    python -m bench.search [--passages 1000 10000 100000] [--queries 200]

Texts are generated: words by Zipf's law from a fixed seed, five passages of a hundred words to a document. A query is
six words of one passage. Searches are the whole of `LibraryIndex.search`: words and variants, feedback, latent
model. Beside the time that passes stands the processor time of the searching thread: on a busy machine only that one
means something.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import statistics
import time
from collections.abc import Iterator

import numpy as np

from services.library.index.library_index import LibraryIndex, analyse
from services.library.index.segment import AnalysedDocument
from services.library.index.terms import Analyzer
from services.library.passages import Passage

_WORDS = 60_000
_LENGTH = 100
_PASSAGES = 5
_SLICE = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--queries", type=int, default=200)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    heads = ("passages", "index s", "model s", "MB", "kind", "p50 ms", "p95 ms", "max ms", "cpu p50", "cpu p95")
    print(" ".join(f"{head:>10}" for head in heads))
    for passages in arguments.passages:
        _measure(passages, arguments.queries)


def _measure(passages: int, queries: int) -> None:
    words = _words()
    chance = np.random.default_rng(11)
    index, analyzer = LibraryIndex(), Analyzer()
    asked: list[str] = []
    building = 0.0
    documents = _documents(passages // _PASSAGES, words, chance)
    while some := list(itertools.islice(documents, _SLICE)):
        asked += [" ".join(chance.choice(text.split()[:_LENGTH], 6)) for _, text in some]
        began = time.perf_counter()
        index.apply([_analysed(analyzer, *each) for each in some], revision=1)
        building += time.perf_counter() - began
    began = time.perf_counter()
    index.learn()
    learning = time.perf_counter() - began
    chosen = [asked[number] for number in chance.integers(0, len(asked), queries)]
    index.search(chosen[0])
    for kind in ("documents", "passages"):
        took, worked = [], []
        for query in chosen:
            began, at = time.perf_counter(), time.thread_time()
            index.search(query, passages=kind == "passages", varied=kind == "passages")
            took.append((time.perf_counter() - began) * 1000)
            worked.append((time.thread_time() - at) * 1000)
        cuts, work = statistics.quantiles(took, n=20), statistics.quantiles(worked, n=20)
        figures = (building, learning, index.nbytes / 1e6, kind, cuts[9], cuts[18], max(took), work[9], work[18])
        shown = [figure if isinstance(figure, str) else f"{figure:.1f}" for figure in figures]
        print(" ".join(f"{cell:>10}" for cell in (str(index.passages), *shown)), flush=True)


def _words() -> list[str]:
    parts = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    return ["".join(word) for word in itertools.islice(itertools.product(parts, repeat=3), _WORDS)]


def _documents(count: int, words: list[str], chance: np.random.Generator) -> Iterator[tuple[str, str]]:
    shares = 1.0 / (np.arange(1, len(words) + 1) + 2.7)
    edges = np.cumsum(shares / shares.sum())
    order = chance.permutation(len(words))
    for number in range(count):
        drawn = order[np.minimum(np.searchsorted(edges, chance.random(_PASSAGES * _LENGTH)), len(words) - 1)]
        yield f"{number:07}", " ".join(words[each] for each in drawn)


def _analysed(analyzer: Analyzer, document_id: str, text: str) -> AnalysedDocument:
    size = len(text) // _PASSAGES
    passages = [Passage(place * size, (place + 1) * size) for place in range(_PASSAGES)]
    return analyse(analyzer, document_id, "", text, passages)


if __name__ == "__main__":
    main()
