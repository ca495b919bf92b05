"""The sections of a result: answer, findings, data, quality, limits, methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.canonical import content_id
from worker.engines.analysis.findings.answers import standing
from worker.engines.analysis.findings.doubts import doubts_in_use
from worker.engines.analysis.quality import quality
from worker.engines.analysis.question import Ask, question_of
from worker.engines.analysis.wording import listed, plural

JSON = Any

_SMALL = 30
_DESCRIPTIVE = frozenset({"describe", "curve_fit", "aggregate", "distribution", "outliers"})
_ASKED = {
    Ask.OVERVIEW: "an overview",
    Ask.DESCRIBE: "a description",
    Ask.EFFECT: "an effect",
    Ask.RELATION: "what goes with what",
    Ask.DIFFERENCE: "a difference",
    Ask.TREND: "a trend",
    Ask.DRIVERS: "what explains it",
    Ask.MODEL: "a model",
    Ask.AGGREGATE: "totals, means or the like",
    Ask.ONE_SAMPLE: "a mean against a given value",
    Ask.DISTRIBUTION: "the shape of a distribution",
    Ask.OUTLIERS: "outliers",
    Ask.CLUSTERS: "groups of rows that are alike",
    Ask.COMPONENTS: "principal components",
}
OVERVIEW = "The question names no column of the data and asks for an overview; this is what stands out.\n\n"


def answer_of(findings: Sequence[JSON], computed: Sequence[JSON], loaded: JSON) -> JSON:
    """The result's `answer`; see :func:`findings.answers.standing`."""
    question = question_of(loaded["question"])
    answering = [finding for finding in findings if finding["answers"]]
    entries = [item["entry"] for item in computed]
    doubts = doubts_in_use(loaded.get("doubts", ()), question, answering)
    return standing(question, loaded["cannot"], loaded["caveats"], answering, entries, doubts)


def sections(findings: Sequence[JSON], computed: Sequence[JSON], loaded: JSON, *, partial: bool) -> list[JSON]:
    """What the question's answer is, what else was found, what the data are, and where the limits lie."""
    answer = answer_of(findings, computed, loaded)
    others = list(findings)
    parts: list[tuple[str, str, list[str]]] = []
    if answer["text"]:
        resting = (answer["finding"], *answer["also"])
        answering = [finding["text"] for finding in findings if finding["id"] in resting]
        # That the data cannot answer says nothing about the world, so it is no claim.
        parts.append(("Answer", answer["text"], answering))
        others = [finding for finding in findings if finding["id"] not in resting]
    lead = ""
    if not loaded["question"]["mentioned"] and not any(item["entry"]["asked"] for item in computed):
        lead = OVERVIEW if answer["status"] == "overview" else ""
    if not findings:
        lead += "Nothing stands out clearly."
    elif not others:
        lead += "Beyond the answer nothing stands out clearly."
    elif answer["status"] == "not_answerable":
        lead += "What the data do show:\n\n"
    texts = [finding["text"] for finding in others]
    parts.append(("Findings", lead + "\n\n".join(texts), texts))
    parts.append(("The data", *_data(loaded)))
    parts.append(("Data quality", *quality(loaded, computed)))
    parts.append(("Limits", *_limits(findings, computed, loaded, partial=partial)))
    parts.append(("Methods", *_methods(loaded, computed)))
    return [
        {
            "id": content_id("section", heading, text),
            "heading": heading,
            "body": text,
            "claims": [
                {"id": content_id("claim", heading, claim), "text": claim, "citations": [], "support": "computed"}
                for claim in claims
            ],
        }
        for heading, text, claims in parts
    ]


def _data(loaded: JSON) -> tuple[str, list[str]]:
    paragraphs = []
    for dataset in loaded["datasets"]:
        columns = [f"{column['name']} ({_kind(column)})" for column in dataset["columns"]]
        size = f"{plural(dataset['rows'], 'row')} and {plural(len(columns), 'column')}"
        text = f"{dataset['name']} has {size}: {listed(columns, 20)}."
        missing = [f"{c['name']} {c['missing']:,}" for c in dataset["columns"] if c["missing"]]
        text += f" Missing values: {listed(missing)}." if missing else " No value is missing."
        paragraphs.append(text)
    return "\n\n".join(paragraphs), paragraphs[:1]


def _kind(column: Mapping[str, Any]) -> str:
    return f"{column['type']}, {column['unit']}" if column["unit"] else str(column["type"])


def _limits(
    findings: Sequence[JSON], computed: Sequence[JSON], loaded: JSON, *, partial: bool
) -> tuple[str, list[str]]:
    remarks = []
    if partial:
        skipped = [_named(item) for item in computed if "skipped" in item["entry"]["result"]]
        what = f": {listed(skipped)} left out" if skipped else ""
        remarks.append(f"Time or budget was nearly spent, so the analysis is partial{what}.")
    for item in computed:
        if reason := item["entry"]["result"].get("not_possible"):
            remarks.append(f"The data cannot answer this ({_named(item)}): {reason}")
    remarks += loaded["caveats"]
    remarks += [doubt["text"] for doubt in loaded.get("doubts", ())]
    if loaded["exploratory"]:
        remarks.append(
            "What to model was chosen by looking at the data, so the p-values are exploratory: "
            "confirm them on other data."
        )
    for item in computed:
        for warning in item["entry"]["result"].get("warnings", []):
            if "not_possible" not in item["entry"]["result"] and "skipped" not in item["entry"]["result"]:
                remarks.append(f"{_named(item)}: {warning.rstrip('.')}.")
    small = [dataset["name"] for dataset in loaded["datasets"] if dataset["rows"] < _SMALL]
    if small:
        have = "has" if len(small) == 1 else "have"
        remarks.append(
            f"{listed(small)} {have} fewer than {_SMALL} rows; small samples hide weak effects and exaggerate "
            "strong ones."
        )
    if any(finding["kind"] not in _DESCRIPTIVE for finding in findings):
        remarks.append("Associations in observed data do not show causes.")
    remarks = list(dict.fromkeys(remarks))
    return "\n\n".join(remarks) or "No particular limits were noticed.", remarks


def _methods(loaded: JSON, computed: Sequence[JSON]) -> tuple[str, list[str]]:
    """How the question was read and what was computed, each with its why."""
    question = loaded["question"]
    paragraphs = []
    if question["mentioned"]:
        read = f"The question was read as asking for {_ASKED[Ask(question['ask'])]}"
        parts = [
            f"{label} {value if isinstance(value, str) else listed(value)}"
            for label, value in (
                ("about", question["response"]),
                ("by", question["predictors"]),
                ("between the groups of", question["group"]),
            )
            if value
        ]
        paragraphs.append(f"{', '.join([read, *parts])}.")
    done = [f"{_named(item)} ({item['entry']['why']})" for item in computed]
    if done:
        paragraphs.append(f"Computed: {'; '.join(dict.fromkeys(done))}.")
    decided = [f"{d['decision']} ({d['reason']})" for d in loaded["plan_decisions"]]
    if decided:
        paragraphs.append(f"Decided: {'; '.join(decided)}.")
    doubles = [_named(item) for item in computed if item["entry"]["result"].get("arithmetic") == "double"]
    text = f"Intervals are two-sided, 95 %. Random parts take the seed {loaded['seed']}."
    if doubles:
        text += f" Computed in doubles: {listed(list(dict.fromkeys(doubles)))}."
    paragraphs.append(text)
    return "\n\n".join(paragraphs), []


def _named(item: JSON) -> str:
    """A task's kind in words, for readers."""
    return str(item["entry"]["kind"]).replace("_", " ")
