from __future__ import annotations

import string

import pytest

from services.results.rendering.composing.block_labels import LANGUAGES
from services.results.rendering.composing.labels import labels


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_places(language: str) -> None:
    english, own = labels("en"), labels(language)
    assert own.keys() == english.keys()
    assert all(word.strip() for word in own.values())
    for key, word in own.items():
        places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (word, english[key])]
        assert places[0] == places[1], key


def test_a_language_that_is_not_there_is_english() -> None:
    assert labels("xx") == labels("en")
    assert labels("de-AT") == labels("de")
