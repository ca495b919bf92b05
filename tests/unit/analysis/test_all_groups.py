"""A question about a category of three levels or more has one answer in words, then its parts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.analysis.fakes import context, run_session
from tests.unit.analysis.tables import result_of
from worker.engines.analysis.wording import factor_name, term_name

PROMPT = "Does oxygen differ between sites?"


def sites(*means: float, noise: float = 1.0) -> str:
    rows = [
        f"{mean + noise * ((i * 7 + k * 3) % 11 - 5) / 5:.2f},S{k + 1},{(i * 5 + k) % 13}"
        for i in range(12)
        for k, mean in enumerate(means)
    ]
    return "oxygen,site,depth\n" + "\n".join(rows) + "\n"


async def report(data: str, prompt: str = PROMPT, **preferences: Any) -> dict[str, Any]:
    return await run_session(context(("water.csv", data), prompt=prompt, **preferences))


async def test_the_answer_to_the_whole_question_leads() -> None:
    document = await report(sites(7, 7.1, 10))
    first = document["key_findings"][0]["text"]
    assert first.startswith("oxygen differs between the 3 levels of site (S1, S2 and S3): Welch F(2, ")
    assert "p < 0.001; site accounts for" in first
    assert "S3 (mean 1" in first or "S3 (mean 9" in first
    assert "is higher than S1 (" in first
    assert "1 of 3 pairs does not differ clearly" in first
    assert document["summary"].startswith("oxygen differs between")


async def test_no_difference_is_said_first_too() -> None:
    document = await report(sites(7, 7, 7))
    assert document["key_findings"][0]["text"].startswith(
        "No clear difference of oxygen was found between the 3 levels"
    )


async def test_groups_that_are_not_normal_are_compared_by_ranks() -> None:
    skewed = "oxygen,site\n" + "".join(
        f"{1.9 ** (i % 9) * (1 + 8 * k):.2f},S{k + 1}\n" for i in range(18) for k in (0, 1, 2)
    )
    document = await report(skewed)
    assert "Kruskal–Wallis H(2) = " in document["key_findings"][0]["text"]
    assert "ε²" in document["key_findings"][0]["text"]


@pytest.mark.parametrize("prompt", [PROMPT, "How does oxygen depend on depth and site?"])
async def test_no_text_holds_the_names_of_contrasts(prompt: str) -> None:
    document = await report(sites(7, 8, 10), prompt)
    shown = {key: document[key] for key in ("summary", "sections", "key_findings", "tables")}
    assert "[T." not in json.dumps(shown)


async def test_a_contrast_names_the_level_it_is_held_against() -> None:
    tasks = [{"kind": "regression", "formula": "oxygen ~ depth + site"}]
    document = await report(sites(7, 8, 12), analysis={"tasks": tasks})
    texts = " ".join(finding["text"] for finding in document["key_findings"])
    assert "higher for site S3 than for S1 with the other terms held fixed" in texts
    assert "depth and site together account for" in texts


def test_the_comparison_has_its_effect_size() -> None:
    columns = {"y": [1, 2, 3, 4, 5, 6, 8, 9, 10], "g": list("aaabbbccc")}
    compared = result_of("compare_groups", columns, response="y", group="g")
    assert compared["overall"]["eta_squared"] == result_of("anova", columns, response="y", group="g")["eta_squared"]


@pytest.mark.parametrize(
    ("name", "term", "factor"),
    [
        ("depth", "depth", "depth"),
        ("site[T.S3]", "site S3", "site"),
        ("C(year)[T.1990]", "year 1990", "year"),
        ("depth:site[T.S:3]", "depth × site S:3", "depth × site"),
        ("I(x ** 2)", "I(x ** 2)", "I(x ** 2)"),
    ],
)
def test_terms_for_reading(name: str, term: str, factor: str) -> None:
    assert (term_name(name), factor_name(name)) == (term, factor)
