"""Which rows a figure is of: values with units, denials, numbers of rows, years; and what is not read of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.answering import ask
from tests.unit.analysis.tables import table_of

_ROWS = 60
_VATS: dict[str, list[Any]] = {
    "vat": [i + 1 for i in range(_ROWS)],
    "strain": [("ale", "wild", "lager")[i % 3] for i in range(_ROWS)],
    "cellar": [("upper", "lower")[i // 3 % 2] for i in range(_ROWS)],
    "warmth (°C)": [(12, 18, 24)[i // 2 % 3] for i in range(_ROWS)],
    "fill (%)": [(40, 70)[i // 5 % 2] for i in range(_ROWS)],
    "depth_cm": [(30, 60)[i // 7 % 2] for i in range(_ROWS)],
    "age": [20 + i * 7 % 31 for i in range(_ROWS)],
    "alcohol": [round(4 + i * 7 % 11 / 5 + (i % 3), 2) for i in range(_ROWS)],
    "bottled": [f"20{20 + i // 30}-{i % 12 + 1:02d}-01" for i in range(_ROWS)],
}
VATS = table_of(_VATS)
_YEARS: dict[str, list[Any]] = {
    "year": [2019 + i % 3 for i in range(_ROWS)],
    "site": [("bay", "cape")[i // 3 % 2] for i in range(_ROWS)],
    "nests": [i * 7 % 23 for i in range(_ROWS)],
}
COLONIES = table_of(_YEARS)
ANNUAL = table_of({"year": [1960 + i for i in range(40)], "ozone_ppb": [round(30 + 0.5 * i, 1) for i in range(40)]})


def _mean(name: str, **wanted: Any) -> str:
    values = [v for i, v in enumerate(_VATS[name]) if all(_VATS[k][i] in v2 for k, v2 in wanted.items())]
    return f"{sum(values) / len(values):.4g}"


def _count(data: dict[str, list[Any]], keep: Any) -> int:
    return sum(bool(keep({name: cells[i] for name, cells in data.items()})) for i in range(_ROWS))


@pytest.mark.parametrize(
    ("prompt", "where", "keep"),
    [
        ("How many vats were kept at 18 °C?", "warmth (°C) is 18", lambda r: r["warmth (°C)"] == 18),
        ("How many vats are at 30 cm?", "depth_cm is 30", lambda r: r["depth_cm"] == 30),
        ("How many ale vats at 18 °C?", "strain is ale", lambda r: r["warmth (°C)"] == 18 and r["strain"] == "ale"),
        ("How many vats were above 18 °C?", "warmth (°C) > 18", lambda r: r["warmth (°C)"] > 18),
        ("How many vats are between 25 and 40 years old?", "age >= 25", lambda r: 25 <= r["age"] <= 40),
        ("How many vats are 27 years old?", "age is 27", lambda r: r["age"] == 27),
        ("How many vats are kept at 19 °C?", "warmth (°C) is 19", lambda r: False),
        ("How many vats are older than 40?", "age > 40", lambda r: r["age"] > 40),
        ("How many vats were not ale?", "strain is ", lambda r: r["strain"] != "ale"),
        ("How many vats are outside the upper cellar?", "cellar is lower", lambda r: r["cellar"] != "upper"),
        ("How many rows are not wild?", "strain is ", lambda r: r["strain"] != "wild"),
        ("How many vats are in the upper cellar?", "cellar is upper", lambda r: r["cellar"] == "upper"),
        ("How many vats are there?", "", lambda r: True),
        (
            "How many vats were bottled in the second quarter of 2021?",
            "bottled is 2021-04 or later and bottled is 2021-06 or earlier",
            lambda r: r["bottled"][:7] in ("2021-04", "2021-05", "2021-06"),
        ),
    ],
)  # fmt: skip
def test_how_many_rows_are_meant(prompt: str, where: str, keep: Any) -> None:
    answer = ask(VATS, prompt).answer
    assert answer["status"] == "answered", answer
    assert where in answer["text"]
    assert answer["text"].startswith("The number of rows")
    assert f" is {_count(_VATS, keep)}." in answer["text"]


@pytest.mark.parametrize(
    ("prompt", "mean"),
    [
        ("What is the mean alcohol at 18 °C?", _mean("alcohol", **{"warmth (°C)": [18]})),
        ("What is the mean alcohol at 70 % fill?", _mean("alcohol", **{"fill (%)": [70]})),
        ("What is the mean alcohol at 60 cm?", _mean("alcohol", depth_cm=[60])),
        ("What is the mean alcohol excluding ale?", _mean("alcohol", strain=["wild", "lager"])),
        ("What is the mean alcohol of vats that are not ale?", _mean("alcohol", strain=["wild", "lager"])),
        ("What is the mean alcohol without lager?", _mean("alcohol", strain=["wild", "ale"])),
        ("What is the mean alcohol of all strains except ale?", _mean("alcohol", strain=["wild", "lager"])),
        ("What is the mean alcohol of strains other than wild?", _mean("alcohol", strain=["ale", "lager"])),
    ],
)
def test_a_figure_is_of_the_rows_that_are_meant(prompt: str, mean: str) -> None:
    answer = ask(VATS, prompt).answer
    assert answer["status"] == "answered", answer
    assert f" is {mean} " in answer["text"]


@pytest.mark.parametrize(
    "prompt",
    [
        "How many vats are over 50?",
        "What is the mean alcohol of vats over 50?",
        "What is the mean alcohol at 19 °C?",
        "Is alcohol higher at 24 °C than at 18 °C?",
        "How much does alcohol rise with 10 °C more?",
        "What share of vats was kept at 40 % fill?",
        "What share of vats is not ale?",
        "How many vats were filled with more than 5 % of their alcohol?",
        "What is the 90th percentile of alcohol?",
        "Which strain has the second highest mean alcohol?",
        "What is the ratio of ale to lager?",
        "What is the mean alcohol by strain and cellar?",
        "Does the effect of fill on alcohol depend on strain?",
        "Does the effect of fill on alcohol differ by cellar?",
        "Predict the alcohol at 20 °C and 90 % fill",
        "What is the difference in mean alcohol between ale and lager?",
        "Does fill affect alcohol at 18 °C when not ale and above 12?",
        "Is fill related to alcohol excluding the 13 smallest vats?",
        "How does alcohol differ between strains outside Bavaria?",
        "How many vats were bottled in the third week of 2021?",
    ],
)
def test_no_figure_of_other_rows_is_called_the_answer(prompt: str) -> None:
    assert ask(VATS, prompt).answer["status"] in ("qualified", "not_answerable")


def test_what_is_not_read_of_a_test_is_told_and_lowers_its_confidence() -> None:
    plain = ask(VATS, "Is fill related to alcohol?")
    limited = ask(VATS, "Is fill related to alcohol in the first 13 tanks?")
    assert "“13” was not taken into account." in limited.answer["text"]
    assert limited.findings[0]["confidence"] < plain.findings[0]["confidence"]


def test_a_mean_is_held_against_a_value_among_the_rows_that_are_named() -> None:
    answer = ask(VATS, "Is the mean alcohol different from 5 in lager?").answer
    assert answer["status"] == "answered"
    assert "Among the 20 rows where strain is lager" in answer["text"]


@pytest.mark.parametrize("prompt", ["mean nests in 2020", "What is the mean nests for year 2020?"])
def test_a_column_of_few_years_limits_the_rows(prompt: str) -> None:
    answer = ask(COLONIES, prompt).answer
    values = [n for year, n in zip(_YEARS["year"], _YEARS["nests"], strict=True) if year == 2020]
    assert answer["status"] == "answered"
    assert f"The mean of nests where year is 2020 is {sum(values) / len(values):.4g} " in answer["text"]


def test_years_are_counted_and_not_added_up() -> None:
    text = ask(ANNUAL, "How many years were above 40 ppb?").answer["text"]
    assert "The number of rows where ozone_ppb > 40 is 19." in text
    assert "total of year" not in ask(COLONIES, "How many years are there?").answer["text"]


def test_the_year_in_which_it_was_highest_is_not_the_highest_year() -> None:
    assert ask(ANNUAL, "In which year was it highest?").answer["status"] != "answered"
