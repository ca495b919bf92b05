from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.library.parsing.normalise import normalise, one_line


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("a\r\nb\rc\x0cd\u2028e\x85f", "a\nb\nc\nd\ne\nf"),
        ("tab\tand\nline stay", "tab\tand\nline stay"),
        ("nul\x00 bell\x07 c1\x9b del\x7f", "nul bell c1 del"),
        ("\ufeffinfor\xadmation", "information"),
        ("e\u0301", "\u00e9"),
        ("non\ufffecharacter\ufdd0s\U0001ffff", "noncharacters"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("x\u00b2 \ufb01 \u200bkept", "x\u00b2 \ufb01 \u200bkept"),
    ],
)
def test_only_what_is_named_changes(raw: str, stored: str) -> None:
    assert normalise(raw) == stored


@given(st.text(st.characters(codec=None, categories=None), max_size=200))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    stored = normalise(raw)
    assert normalise(stored) == stored
    assert unicodedata.is_normalized("NFC", stored)
    assert stored.encode().decode() == stored
    assert "\r" not in stored
    assert "\x00" not in stored


def test_one_line_folds_white_space() -> None:
    assert one_line("  A\n\ttitle \u00a0 here ") == "A title here"
