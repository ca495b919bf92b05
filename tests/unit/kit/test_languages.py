"""Which tags name a language."""

from __future__ import annotations

import pytest

from kit.languages import is_language, is_well_formed


@pytest.mark.parametrize("tag", ["en", "DE", "pt-BR", "zh-Hant-TW", "sr-Latn", "gsw", "es-419"])
def test_tags_of_languages(tag: str) -> None:
    assert is_well_formed(tag)
    assert is_language(tag)


@pytest.mark.parametrize(
    "tag", ["xx", "XX-DE", "zy", "uk-", "e", "engl", "en_GB", "en;x", "en-", "", "en\n", "\u0435n"]
)
def test_what_is_no_language(tag: str) -> None:
    assert not is_language(tag)


def test_a_tag_may_be_well_formed_and_no_language() -> None:
    assert is_well_formed("xx-DE")
    assert not is_well_formed("x")
