"""Which sentences of a document are taken as evidence."""

from __future__ import annotations

import pytest

from tests.unit.engines.fakes import record
from worker.engines.base import Job
from worker.engines.research.evidence import FIXED, WEIGHTS, likelihood, place_of, term_weights, unheeded
from worker.engines.research.model import Candidate, Passage, Statement
from worker.engines.research.plan import plan_of
from worker.engines.research.rank import rank
from worker.engines.research.scan import Scan, Scanner
from worker.engines.research.settings import Settings

CLAIM = "Green tea lowers blood pressure in adults."
TRIAL = (
    "High blood pressure is a common problem of adults. "
    "We enrolled 120 adults and measured blood pressure before and after they drank green tea. "
    "All of them kept a diary of their meals. "
    "Blood pressure was significantly lower after 12 weeks of green tea (mean difference 4 mmHg, p < 0.01). "
    "The diaries showed no change in other habits. "
    "These results suggest that green tea reduces blood pressure in adults."
)


def read(text: str, prompt: str = CLAIM, title: str = "A Trial") -> Scan:
    plan = plan_of(prompt, Settings.of(Job("s", "research", prompt)))
    return Scanner(plan.terms, "en").scan("d", title, text, (), whole=True)


def ranked(text: str, prompt: str = CLAIM, most: int = 6) -> list[Statement]:
    plan = plan_of(prompt, Settings.of(Job("s", "research", prompt)))
    scan = Scanner(plan.terms, "en").scan("d", "A Trial", text, (), whole=True)
    candidate = Candidate(record("d", text, "A Trial"), 1.0, 1.0, (), (Passage(0, len(text), None),))
    return rank([scan], [candidate], prompt, plan, {term.stem: 1.0 for term in plan.terms}, most)


def test_results_and_conclusions_come_before_methods_and_background() -> None:
    texts = [statement.text for statement in ranked(TRIAL)]
    assert {texts[0].split()[0], texts[1].split()[0]} == {"Blood", "These"}
    assert texts.index("We enrolled 120 adults and measured blood pressure before and after they drank green tea.") > 1


def test_every_statement_is_one_sentence_verbatim_with_a_probability() -> None:
    for statement in ranked(TRIAL):
        assert TRIAL[statement.start : statement.end] == statement.quote
        assert statement.quote.count(". ") == 0
        assert 0 < statement.evidence < 1


def test_methods_count_for_who_asks_how_it_was_done() -> None:
    found = ranked(TRIAL, "How was blood pressure measured in adults who drank green tea?")
    assert found[0].text.startswith("We enrolled 120 adults")


def test_a_label_tells_the_part_and_is_no_part_of_the_quote() -> None:
    text = "METHODS: Green tea was given to adults daily. RESULTS: Green tea lowered blood pressure in adults."
    scan = read(text)
    assert [unit.quote[:9] for unit in scan.units] == ["Green tea", "Green tea"]
    signs = [dict(zip(FIXED, unit.signs, strict=True)) for unit in scan.units]
    assert [sign["under methods"] for sign in signs] == [1.0, 0.0]


def test_other_forms_of_a_word_and_explained_abbreviations_are_held() -> None:
    text = (
        "Natural killer (NK) cells were counted in every sample. NK cells were fewer in smokers. "
        "Hypomethylated regions were found in all patients of this study."
    )
    scan = read(text, "Smoking lowers natural killer cells and methylation.")
    held = [unit.held for unit in scan.units]
    assert held[1]["natur"] == held[1]["killer"] == 1.0
    assert 0.4 <= held[2]["methyl"] < 1


def test_place_counts_in_a_report_and_less_in_a_long_one() -> None:
    assert [place_of(i, 5, report=True) for i in (0, 2, 4)] == [0.0, 0.5, 1.0]
    assert place_of(4, 5, report=False) == 0.5
    assert 0.5 < place_of(199, 200, report=True) < 0.6
    assert place_of(0, 1, report=True) == 0.5


def test_a_sentence_that_holds_more_is_likelier() -> None:
    fixed = tuple(0.5 for _ in FIXED)
    values = [likelihood(held, 0.8, fixed) for held in (0.0, 0.4, 0.8)]
    assert values == sorted(values)
    assert values[0] < values[-1]


def test_signs_that_do_not_count_are_left_out() -> None:
    fixed = tuple(float(name == "tells a method") for name in FIXED)
    without = unheeded("How were the patients recruited?", "")
    assert likelihood(0.5, 0.5, fixed, without) > likelihood(0.5, 0.5, fixed)
    assert unheeded(CLAIM, "") == frozenset()
    assert "gives background" in unheeded("What is a biomarker?", "definition")


def test_every_fixed_sign_has_a_weight() -> None:
    assert set(WEIGHTS) == {"holds", "holds, of the best", *FIXED}


def test_rare_words_of_the_prompt_weigh_more() -> None:
    plan = plan_of(CLAIM, Settings.of(Job("s", "research", CLAIM)))
    weights = term_weights(plan.terms, {"tea": 1, "blood": 90}, 100)
    assert weights["tea"] > weights["blood"]


@pytest.mark.parametrize("language", ["de", "xx"])
def test_other_languages_are_read_by_words_in_common(language: str) -> None:
    prompt = "Grüner Tee senkt den Blutdruck"
    plan = plan_of(prompt, Settings.of(Job("s", "research", prompt, preferences={"language": language})))
    text = "Das Wetter war an allen Tagen der Reise schön. Grüner Tee senkt den Blutdruck bei vielen Menschen deutlich."
    scan = Scanner(plan.terms, language).scan("d", "", text, (), whole=True)
    assert [unit.quote for unit in scan.units] == [text.split(". ")[1]]
