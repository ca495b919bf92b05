"""The concordance's own rules, without a platform."""

from __future__ import annotations

import pytest
from prsm_concordance.lines import collocates, lines_of, terms_of

TEXT = "Kelp  forests shelter fish.\n“Räume” of kelp\nforests are no place for kelps."


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ('Show "Kelp  forests" and “fish”.', ["kelp forests", "fish"]),
        ("Where do kelp forests occur?", ["kelp", "forests"]),
        ("Show me all of them.", []),
    ],
)
def test_terms(prompt: str, terms: list[str]) -> None:
    assert terms_of(prompt) == terms


def test_lines_are_verbatim_and_of_whole_words() -> None:
    found = lines_of(TEXT, ["kelp forests", "kelp"])
    assert [line.term for line in found] == ["kelp", "kelp forests", "kelp", "kelp forests"]
    for line in found:
        assert TEXT[line.start : line.end] == line.quote
        assert line.quote == line.quote.strip()


def test_long_lines_are_cut_to_whole_words() -> None:
    text = "reef " * 40 + "kelp" + " reef" * 40
    (line,) = lines_of(text, ["kelp"])
    assert set(line.quote.split()) == {"reef", "kelp"}
    assert len(line.quote) <= 4 + 2 * 60


def test_collocates_are_counted_by_line() -> None:
    lines = lines_of("Fish fish near kelp.\nFish eat kelp.", ["kelp"])
    assert collocates(lines) == [("fish", 2), ("near", 1)]
