from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.calibration import Trial, bins_of, error_of, figures_of
from eval.learn_confidence import calibration, fit, order, predicted
from eval.questions import question_sets


def lines(path: Path, *items: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, items)) + "\n")


def test_questions_are_found_by_the_structure_of_files(tmp_path: Path) -> None:
    lines(tmp_path / "a" / "asked.jsonl", {"id": 7, "question": "Why?", "contexts": ["One two.", "Three."]})
    first, second = "Moss is green.", "Kelp is brown."
    lines(
        tmp_path / "b" / "docs.jsonl",
        {"id": 1, "title": "T", "text": f"{first} {second}", "sentences": [first, second]},
    )
    evidence = [{"doc_id": "1", "label": "SUPPORT", "sentences": [1]}]
    lines(
        tmp_path / "c" / "said.jsonl", {"claim": "Kelp is brown", "evidence": evidence}, {"claim": "No", "evidence": []}
    )
    asked, said = question_sets(tmp_path, seed=1, most=10)
    assert asked.documents["asked-7"].text == "One two.\n\nThree."
    assert asked.questions[0].answered_by("asked-7", 0, 3)
    assert not asked.questions[0].answered_by("other", 0, 3)
    assert [question.prompt for question in said.questions] == ["Kelp is brown"]
    assert said.questions[0].answered_by("1", 15, 20)
    assert not said.questions[0].answered_by("1", 0, len(first))


def test_judged_collections_are_questions_whose_answers_are_not_all_known(tmp_path: Path) -> None:
    lines(
        tmp_path / "docs.jsonl", {"id": "1", "title": "T", "text": "Moss."}, {"id": "2", "title": "U", "text": "Kelp."}
    )
    lines(tmp_path / "queries.jsonl", {"id": "q", "text": "moss"}, {"id": "r", "text": "none"})
    (tmp_path / "qrels.tsv").write_text("query_id\tdoc_id\trelevance\nq\t1\t1\nr\t2\t0\n")
    (found,) = question_sets(tmp_path, seed=1, most=10)
    assert not found.complete
    assert [(question.prompt, list(question.answers)) for question in found.questions] == [("moss", ["1"])]


def test_the_draw_hangs_on_the_seed_alone(tmp_path: Path) -> None:
    rows = [{"id": number, "question": f"Question {number}?", "contexts": ["Text."]} for number in range(9)]
    lines(tmp_path / "asked.jsonl", *rows)
    drawn = [[item.prompt for item in next(question_sets(tmp_path, seed=seed, most=4)).questions] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 4


def test_calibration_error_is_the_distance_of_each_bin_weighed_by_its_size() -> None:
    trials = [Trial(True, True, right, 0.75) for right in (True, True, False, True)]
    trials += [Trial(False, False, False, 0.05)] * 4
    assert bins_of(trials) == [(pytest.approx(0.05), 0.0, 4), (0.75, 0.75, 4)]
    assert error_of(trials) == pytest.approx(0.025)
    told, right = np.array([trial.confidence for trial in trials]), np.array([float(trial.right) for trial in trials])
    assert calibration(told, right)[1] == pytest.approx(error_of(trials))


def test_figures_count_what_was_withheld_and_what_was_not_found() -> None:
    trials = [
        Trial(True, True, True, 0.9),
        Trial(True, False, False, 0.1),
        Trial(False, False, False, 0.0),
        Trial(False, True, False, 0.5),
    ]
    figures = figures_of(trials)
    assert (figures["answered"], figures["withheld"], figures["not found"]) == (0.5, 0.5, 0.5)
    assert figures["right of answered"] == 0.5
    assert figures["Brier"] == pytest.approx((0.01 + 0.01 + 0.25) / 4)


def test_a_fit_finds_the_weights_behind_a_sample_and_none_below_zero() -> None:
    chance = np.random.default_rng(5)
    rows = chance.random((4000, 3))
    likely = predicted(np.array([-2.0, 3.0, 1.0, -2.0]), rows)
    right = (chance.random(4000) < likely).astype(np.float64)
    found = fit(rows, right, np.ones(4000))
    assert found[1] == pytest.approx(3.0, abs=0.4)
    assert found[3] == 0
    assert order(predicted(found, rows), right) > 0.65
