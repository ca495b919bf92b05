from __future__ import annotations

import random

import pytest

from services.library.parsing.document import Kind, ParseLimits
from services.library.parsing.parse import parse
from tests.mutations.campaign import campaign
from tests.mutations.mutate import mutated
from tests.mutations.seeds import Seed, flat, seeds

SEED = 11
FILES = 100
"""`make fuzz-documents` tries ten thousand."""


@pytest.fixture(scope="module")
def originals() -> dict[Kind, list[Seed]]:
    return seeds()


def test_there_is_a_good_original_of_every_kind(originals: dict[Kind, list[Seed]]) -> None:
    assert set(originals) == set(Kind)
    for kind, files in originals.items():
        for name, data in files:
            assert parse(data, name, "", ParseLimits()).kind is kind


def test_the_same_seed_makes_the_same_files(originals: dict[Kind, list[Seed]]) -> None:
    files = flat(originals)
    first, again = ([mutated(each, files, random.Random(n)) for n, each in enumerate(files)] for _ in range(2))
    assert first == again
    assert sum(data != original for (_, data), (_, original) in zip(first, files, strict=True)) > len(files) / 2


async def test_mutated_files_give_a_document_or_a_named_error(originals: dict[Kind, list[Seed]]) -> None:
    files = flat(originals)
    outcome = await campaign(files, files=FILES, seed=SEED, limits=ParseLimits(seconds=30.0))
    assert outcome.faults == []
    assert outcome.raised == {}
    # A library may end its process, as Rust does when memory runs out; the file then has this name.
    assert outcome.unreadable["parser_failed"] == outcome.lost
    assert outcome.files == FILES
    assert outcome.read.total() > FILES / 4
    assert outcome.unreadable.total() > FILES / 4
