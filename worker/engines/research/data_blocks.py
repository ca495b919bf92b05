"""Adding the analysis of a session's datasets to its result document."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.research.model import Json
from worker.engines.text.identifiers import content_id
from worker.engines.text.terms import Analyzer

_SUMMARY_FINDINGS = 3
_NAMED_COLUMNS = 2
"""A prompt that names so many columns of a dataset asks about the data."""


def add_datasets(
    document: Json, datasets: Sequence[Json], prompt: str, language: str, *, documents_asked: bool
) -> None:
    """Adds tables, figures, analysis, hypotheses, findings and sections of each dataset to `document`, in place.

    Findings of the data rest on the dataset, not on a quote, so they carry its name and no citation, and their support
    is `computed`. What the prompt asks about comes first: the documents, unless they do not answer or the prompt names
    columns of a dataset. The confidence is that of what comes first; for data the mean of the confidences that the
    analysis gives its own findings.
    """
    findings: list[Json] = []
    sections: list[Json] = []
    document["analysis"] = []
    document["hypotheses"] = []
    for item in datasets:
        blocks = item["blocks"]
        for name in ("tables", "figures", "analysis"):
            document[name].extend(blocks[name])
        document["hypotheses"] += _hypotheses(item)
        sections += [_of_dataset(section, item["name"]) for section in blocks["sections"]]
        findings += [
            {**finding, "document_id": item["document_id"], "support": "computed"} for finding in blocks["key_findings"]
        ]
    told = " ".join(
        [item["blocks"]["left_out"] for item in datasets if item["blocks"]["left_out"]]
        + [finding["text"] for finding in findings[:_SUMMARY_FINDINGS]]
    )
    first = bool(findings) and (not document["answered"] or _asks_about(datasets, prompt, language))
    if first:
        document["sections"][:0] = sections
        document["key_findings"][:0] = findings
        confidences = [float(finding["confidence"]) for finding in findings]
        document["confidence_score"] = round(sum(confidences) / len(confidences), 4)
        document["methods"]["confidence"]["formula"] = "mean confidence of the findings in the data"
    else:
        # What the data say stands before the last section, which tells how all of it was made.
        document["sections"][-1:-1] = sections
        document["key_findings"].extend(findings)
    document["answered"] = document["answered"] or bool(findings)
    if not documents_asked:
        document["summary"] = told or "The data gave no finding."
    elif told and first:
        document["summary"] = f"In the data: {told}\n\nIn the documents: {document['summary']}"
    elif told:
        document["summary"] += f"\n\nIn the data: {told}"


def _asks_about(datasets: Sequence[Json], prompt: str, language: str) -> bool:
    analyzer = Analyzer(language)
    asked = set(analyzer.terms(prompt))
    for item in datasets:
        names = {
            str(column["name"])
            for entry in item["blocks"]["analysis"]
            for column in (entry["result"] or {}).get("columns", ())
            if isinstance(column, dict)
        }
        named = [
            name for name in names if (terms := analyzer.terms(name.replace("_", " "))) and asked.issuperset(terms)
        ]
        if len(named) >= _NAMED_COLUMNS:
            return True
    return False


def _hypotheses(item: Json) -> list[Json]:
    return [
        {"dataset": item["name"], **hypothesis}
        for entry in item["blocks"]["analysis"]
        if entry["kind"] == "hypotheses"
        for hypothesis in (entry["result"] or {}).get("hypotheses", ())
    ]


def _of_dataset(section: Json, name: str) -> Json:
    """The section under a heading that names the dataset, with ids that two datasets cannot share."""
    claims = [{**claim, "id": content_id("claim", name, claim["id"])} for claim in section["claims"]]
    heading = f"{name}: {section['heading'].lower()}"
    return {**section, "id": content_id("section", name, section["id"]), "heading": heading, "claims": claims}
