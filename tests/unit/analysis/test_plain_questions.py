"""Questions as people put them: what they count, where an extreme is, and what no column answers."""

from __future__ import annotations

import math

import pytest

from tests.unit.analysis.answering import ask
from tests.unit.analysis.tables import table_of
from worker.engines.analysis.reading.reader import read_table

_ROWS = 48
_CLASSES = ("1st class", "2nd class", "3rd class")
FERRY = table_of(
    {
        "class": [_CLASSES[i % 3] for i in range(_ROWS)],
        "age": ["child" if i % 4 == 0 else "adult" for i in range(_ROWS)],
        "sex": ["women" if i % 2 else "men" for i in range(_ROWS)],
        "rescued": ["yes" if i % 3 == 0 or i % 8 == 1 else "no" for i in range(_ROWS)],
        "berth": ["Occas" if i % 5 == 0 else "Regul" for i in range(_ROWS)],
        "fare": ["" if i % 12 == 5 else round(20 - 5 * (i % 3) + 2 * math.sin(i * 1.7), 2) for i in range(_ROWS)],
        "bill": [round(30 + 7 * math.sin(i * 0.9), 2) for i in range(_ROWS)],
        "decks": [4 + 2 * (i % 3) for i in range(_ROWS)],
    }
)
RIVER = table_of(
    {
        "date": [f"{1960 + i // 12}-{i % 12 + 1:02d}-01" for i in range(72)],
        "site": ["upper" if i % 2 else "lower" for i in range(72)],
        "petal_length": [round(5 + 0.1 * i + math.sin(i * 1.3), 2) for i in range(72)],
        "petal_width": [round(2 + math.cos(i * 0.7), 2) for i in range(72)],
        "weight": [round(50 + 0.5 * i + 3 * math.sin(i * 2.1), 1) for i in range(72)],
    }
)


SHIP = table_of(
    {
        "PassengerId": [i + 1 for i in range(_ROWS)],
        "Survived": [1 if i % 3 == 0 else 0 for i in range(_ROWS)],
        "Port": ["S" if i % 4 else "C" for i in range(_ROWS)],
        "Age": [20 + i * 7 % 31 for i in range(_ROWS)],
        "Units Sold": [i * 5 % 13 for i in range(_ROWS)],
        "Unit Price": [round(9 + math.sin(i), 2) for i in range(_ROWS)],
    }
)


def _count(**wanted: str) -> int:
    cells = {name: FERRY[name].cells for name in wanted}
    return sum(all(cells[name][i] == value for name, value in wanted.items()) for i in range(_ROWS))


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("How many women were rescued?", f" is {_count(sex='women', rescued='true')}."),
        ("How many children were not rescued?", f" is {_count(age='child', rescued='false')}."),
        ("How many passengers were in first class?", f"class is 1st class is {_count(**{'class': '1st class'})}."),
        ("How many fare values are missing?", "The number of rows without a value of fare is 4"),
        ("How many rows have 4 decks?", f"The number of rows where decks is 4 is {_count(decks='4')}."),
        ("How many passengers berth regularly?", "By berth: Regul "),
        ("How many different berths does each class have?", "By class: "),
        ("What is the average fare by number of decks?", " decks 4: "),
    ],
)
def test_what_is_counted(prompt: str, words: str) -> None:
    answered = ask(FERRY, prompt)
    assert (answered.answer["status"], answered.findings[0]["kind"]) == ("answered", "aggregate"), answered.answer
    assert words in answered.answer["text"]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("How many passengers survived?", "The number of rows where Survived is 1 is 16"),
        ("Which port had the most passengers?", "Port S has the highest number of rows: 36."),
        ("Which port sold the most units?", "has the highest total of Units Sold"),
        ("How many units were sold?", "The total of Units Sold is "),
        ("What is the average age of survivors?", "The mean of Age where Survived is 1 is "),
    ],
)
def test_numbers_of_rows_are_not_what_is_asked_about(prompt: str, words: str) -> None:
    assert SHIP["PassengerId"].identifier
    assert words in ask(SHIP, prompt).answer["text"]


@pytest.mark.parametrize(
    ("prompt", "kind", "words"),
    [
        ("When was the weight highest?", "aggregate", "(date 1965-"),
        ("Which site has the longest petals?", "aggregate", "has the highest mean of petal_length"),
        ("Is the weight at the upper site rising?", "trend", "Among the 36 rows where site is upper"),
        ("Does a longer petal length mean a larger weight?", "correlation", "petal_length and weight rise together"),
        ("How fast does weight grow per year?", "trend", "weight is rising over date"),
        ("What is the weight at a petal width of 77?", None, "no row with petal_width is 77"),
    ],
)
def test_when_which_and_where(prompt: str, kind: str | None, words: str) -> None:
    answered = ask(RIVER, prompt)
    assert words in answered.answer["text"], answered.answer
    assert kind is None or answered.findings[0]["kind"] == kind


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("What percentage of the bill is the fare on average?", "“fare as a share of bill”"),
        ("Are decks more fuel efficient?", "“fuel efficient”"),
        ("What is the revenue by class?", "“revenue”"),
        ("Does the fare affect tooth growth?", "“tooth growth”"),
        ("Is there an interaction between sex and age?", "the question names no third"),
    ],
)
def test_what_no_column_holds_is_not_answered_by_another(prompt: str, words: str) -> None:
    answer = ask(FERRY, prompt).answer
    assert answer["status"] == "not_answerable"
    assert words in answer["text"]


def test_words_that_fit_several_columns_are_named() -> None:
    text = ask(RIVER, "Do petals shrink?").answer["text"]
    assert "“petals” fits petal_length and petal_width equally well" in text


def test_a_group_beside_what_is_held_fixed_is_answered_by_its_term() -> None:
    answer = ask(FERRY, "Do men and women differ in fare after controlling for bill and decks?").answer
    assert "controlling" not in answer["text"]


def test_numbers_of_rows_without_a_name_are_no_measure() -> None:
    rows = "".join(f'"{i}",{i * i % 17},{i * 7 % 11}\n' for i in range(1, 20))
    numbered = read_table("t.csv", f'"","a","b"\n{rows}'.encode()).table
    assert [column.identifier for column in numbered.columns] == [True, False, False]
    years = "".join(f"{1990 + i},{i * i % 17}\n" for i in range(20))
    assert not read_table("t.csv", f',"a"\n{years}'.encode()).table.columns[0].identifier
    bare = read_table("t.csv", b"1,5\n2,4\n3,9\n").table
    assert [column.identifier for column in bare.columns] == [False, False]


def test_what_names_the_rows_is_told_of_an_extreme() -> None:
    rows = "".join(f"State {chr(65 + i)},{i * 7 % 23},{i}\n" for i in range(20))
    table = read_table("t.csv", f",murder,size\n{rows}".encode()).table
    assert "State N" in ask(table, "Which state has the highest murder rate?").answer["text"]
