"""Questions of which one part decides what is meant: a denial, a bound, a rank."""

from __future__ import annotations

import math

import pytest

from tests.unit.analysis.answering import ask
from tests.unit.analysis.tables import table_of

_ROWS = 48
VOYAGE = table_of(
    {
        "TravellerId": [i + 1 for i in range(_ROWS)],
        "cabin": [("1st cabin", "2nd cabin", "3rd cabin")[i % 3] for i in range(_ROWS)],
        "sex": ["women" if i % 2 else "men" for i in range(_ROWS)],
        "age": [20 + i * 7 % 31 for i in range(_ROWS)],
        "rescued": ["yes" if i % 3 == 0 or i % 8 == 1 else "no" for i in range(_ROWS)],
        "returned": [1 if i % 3 == 0 else 0 for i in range(_ROWS)],
        "fare": ["" if i % 12 == 5 else round(20 - 5 * (i % 3) + 2 * math.sin(i * 1.7), 2) for i in range(_ROWS)],
        "bunks": [4 + 2 * (i % 3) for i in range(_ROWS)],
    }
)
_FARES = [float(cell) for cell in VOYAGE["fare"].cells if cell]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("How many women paid more than 15?", "“more than 15”"),
        ("How many people paid no fare?", "“no fare”"),
        ("How many were neither rescued nor women?", "“nor women”"),
        ("How many men or third cabin travellers were rescued?", "“men or third cabin”"),
        ("How many fares are above the average?", "“above the average”"),
        ("How many travellers between 30 and 40 were rescued?", "“30” and “40”"),
        ("How many more women than men are there?", "“how many more”"),
        ("What is the 90th percentile of fare?", "“90th percentile”"),
        ("What is the second highest fare?", "“second highest”"),
        ("What is the largest change in fare?", "“largest change”"),
        ("Who was rescued first?", "“who”"),
        ("In which month is the fare highest?", "“which month”"),
        ("How many travellers drowned?", "“drowned”"),
        ("Which cabin paid the most?", "“paid”"),
        ("How many people over 40 drowned?", "“40”"),
        ("How many rows with fare above 01.05.2020?", "“01.05.2020”"),
        ("What is the mean fare at 1.2.3?", "“1.2.3”"),
        ("How many rows have fare over 15 and age under 30?", "“30”"),
        ("How many people drowned?", "“drowned”"),
        ("How many rows have no missing values?", "“no missing”"),
        ("What is the most frequent fare?", "“most frequent”"),
        ("What is the mean fare by cabin and sex?", "“by cabin and sex”"),
    ],
)
def test_what_was_not_understood_is_said_instead_of_the_figure_of_other_rows(prompt: str, words: str) -> None:
    answer = ask(VOYAGE, prompt).answer
    assert answer["status"] == "not_answerable", answer
    assert words in answer["text"]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("What was the average fare without women?", "The mean of fare where sex is men is "),
        ("What is the average fare excluding the third cabin?", "where cabin is 1st cabin or 2nd cabin is "),
        ("Except for women, how many were rescued?", "where rescued is true and sex is men is 8."),
        ("How many travellers are there?", "The number of rows is 48."),
        ("How many travellers did not return?", "The number of rows where returned is 0 is 32."),
        ("How many women weren't rescued?", "where sex is women and rescued is false is 12."),
        ("How many travellers have cabin 1st cabin?", "The number of rows where cabin is 1st cabin is 16."),
        ("How many women have a fare between 10 and 20?", "fare >= 10 and fare <= 20 and sex is women is 14."),
        ("How many travellers have fewer than 6 bunks?", "The number of rows where bunks < 6 is 16."),
        ("Which cabin has the highest share of rescued?", "cabin 1st cabin has the highest share"),
        ("What is the minimum fare by cabin?", f"The lowest value of fare is {min(_FARES):g}"),
        (
            "Which cabin has the most missing fares?",
            "3rd cabin has the highest number of rows without",
        ),
        ("How many rows have fare above 12,5?", "The number of rows where fare > 12.5 is "),
        ("How many rows have age below 1,250.5?", "The number of rows where age < 1250.5 is 48"),
        ("Who was the oldest?", "The highest value of age is 50"),
        ("What share of women have a fare above 15?", "By sex: men 50 % and women 50 %"),
        ("What is the highest fare in the first cabin?", "The highest value of fare where cabin is 1st cabin is "),
        ("What is the fare of women?", "The mean of fare where sex is women is "),
        ("Are there more women than men?", "By sex: men 24 and women 24"),
        ("What is the average age of those who did not return?", "The mean of age where returned is 0 is "),
        ("What is the average age of rescuers in the first cabin?", "where rescued is true and cabin is 1st cabin"),
        ("Does a larger fare mean an older age?", "No clear association of "),
        ("What are the mean and the median of fare?", "median 15.83"),
        ("Which cabin is most common among those rescued?", "cabin 1st cabin has the highest number of rows where "),
        ("What fraction of those rescued paid a fare above 15?", "By rescued: "),
        ("What is the rescue rate of women vs men?", "The share of rows with rescued true is "),
        ("How many bunks did rescuers have?", "The total of bunks where rescued is true is "),
        ("How many bunks are there on average?", "The mean of bunks is 6 "),
        ("What is the youngest age of a rescuer?", "The lowest value of age where rescued is true is "),
        ("Is the average fare more than 15?", "do not show that the mean of fare, 15.46, differs from 15"),
    ],
)
def test_what_was_understood_is_answered_for_the_rows_that_are_meant(prompt: str, words: str) -> None:
    answer = ask(VOYAGE, prompt).answer
    assert answer["status"] == "answered", answer
    assert words in answer["text"]


def test_words_for_rows_that_fit_nothing_are_told() -> None:
    answer = ask(VOYAGE, "What is the average age of those who drowned?").answer
    assert answer["status"] == "qualified"
    assert "“drowned” is in no column" in answer["text"]


def test_an_interaction_is_on_the_column_that_is_named_as_its_outcome() -> None:
    text = ask(VOYAGE, "Is there an interaction between sex and age on fare?").answer["text"]
    assert "fare ~ sex * age" in text
