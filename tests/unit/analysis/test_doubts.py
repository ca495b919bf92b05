"""What reading left in doubt about a column is said with every answer that rests on it."""

from __future__ import annotations

from tests.unit.analysis.answering import Answered, answer_to
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.reader import read_table

_MAKES = ("NMC", "LFP", "NMC", "LFP", "nmc ")


def _file(makes: tuple[str, ...], *coded: int) -> str:
    rows = [
        f"{makes[i % len(makes)]},{(6, 12, 18)[i % 3]},{-999 if i in coded else 14 + i * 7 % 11 / 2},{i * 5 % 23}"
        for i in range(60)
    ]
    return "\n".join(["make,months,resistance,loss", *rows])


def _asked(prompt: str, content: str, **read: object) -> Answered:
    options = {"read": read}
    return answer_to(read_table("t.csv", content.encode(), parse_options(options).read), prompt, **options)


CODED = _file(("NMC", "LFP"), 7, 20)
SPELLED = _file(_MAKES)


def test_an_answer_from_a_column_with_what_looks_like_a_code_is_qualified() -> None:
    found = _asked("What is the mean resistance?", CODED)
    without = _asked("What is the mean resistance?", CODED, missing=["-999"])
    assert (found.answer["status"], without.answer["status"]) == ("qualified", "answered")
    mean = f"{without.findings[0]['numbers']['value']:.4g}"
    told = "-999 stands twice in resistance and looks like a code for a missing value"
    assert found.answer["text"].split(". ")[1].startswith(told)
    assert f"left out it is {mean}; read.missing leaves it out" in found.answer["text"]
    assert any(reason.startswith(told) for reason in found.answer["why"])
    assert found.findings[0]["confidence"] < without.findings[0]["confidence"]
    assert "-999 stands" not in without.answer["text"]


def test_a_column_that_the_answer_does_not_use_does_not_qualify_it() -> None:
    assert _asked("What is the mean loss?", CODED).answer["status"] == "answered"
    assert _asked("Is resistance related to loss?", CODED).answer["status"] == "qualified"


def test_levels_that_differ_in_case_or_blanks_qualify_what_is_said_of_the_groups() -> None:
    found = _asked("Does loss differ between make?", SPELLED)
    assert found.answer["status"] == "qualified"
    assert (
        "make has levels that differ in case or blanks only and are counted apart: 'NMC' (24) and 'nmc' (12)"
        in (found.answer["text"])
    )
    assert _asked("What is the mean loss?", SPELLED).answer["status"] == "answered"


def test_groups_that_are_numbers_stand_by_size_and_with_their_name() -> None:
    text = _asked("What is the mean loss per months?", SPELLED).answer["text"]
    assert " months 6: " in text
    assert text.index("6: ") < text.index("; 12: ") < text.index("; 18: ")
    assert "By make: " in _asked("What is the mean loss per make?", SPELLED).answer["text"]
