"""Which known name an unknown one was probably meant to be."""

from __future__ import annotations

import pytest

from gateway.nearest import nearest

KNOWN = ("depth", "documents", "limit", "main_part", "prompt", "size", "tags")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("promt", "prompt"),
        ("dpeth", "depth"),
        ("limits", "limit"),
        ("mainPart", "main_part"),
        ("document", "documents"),
        ("tag", "tags"),
        ("size", "size"),
        ("side", "size"),
        ("sums", None),
        ("dots", None),
        ("it", None),
        ("", None),
        ("prompt ", None),
        ("prömpt", None),
        ("p" * 65, None),
        ("what_was_asked", None),
    ],
)
def test_a_name_is_near_when_few_letters_differ(name: str, meant: str | None) -> None:
    assert nearest(name, KNOWN) == meant


def test_of_equally_near_names_it_is_the_first_by_the_alphabet_in_whatever_order_they_stand() -> None:
    assert nearest("pages", ["paged", "wages", "cages"]) == "cages"
    assert nearest("pages", ["wages", "cages", "paged"]) == "cages"
