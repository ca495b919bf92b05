"""Adding the analysis of a session's datasets to its result document."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.research.confidence import Confidence
from worker.engines.research.model import Json
from worker.engines.research.prose import stated
from worker.engines.text.identifiers import content_id
from worker.engines.text.terms import Analyzer

DATA_FORMULA = "mean confidence of the findings in the data"
BOTH_FORMULA = "(data + documents) / 2, each by the formula of its own"
_SUMMARY_FINDINGS = 3
_NAMED_COLUMNS = 2
"""A prompt that names so many columns of a dataset asks about the data."""


def add_datasets(
    document: Json,
    datasets: Sequence[Json],
    prompt: str,
    language: str,
    *,
    documents_asked: bool,
    unasked: str = "",
) -> None:
    """Adds tables, figures, analysis, hypotheses, findings and sections of each dataset to `document`, in place.

    Findings of the data rest on the dataset, not on a quote, so they carry its name and no citation, and their support
    is `computed`. What the prompt asks about comes first: the documents, unless they do not answer or the prompt names
    columns of a dataset. The confidence is that of the documents where they come first. Where the data do, it is the
    mean of the confidences that the analysis gives its own findings, and where the documents answer too, the mean of
    that and theirs. `unasked` is what the summary owns up to about connectors, beside what it says of documents.
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
        _rate(document, findings)
    else:
        # What the data say stands before the last section, which tells how all of it was made.
        document["sections"][-1:-1] = sections
        document["key_findings"].extend(findings)
    document["answered"] = document["answered"] or bool(findings)
    if not documents_asked:
        document["summary"] = (told or "The data gave no finding.") + (f" {unasked}" if unasked else "")
    elif told and first:
        document["summary"] = f"In the data: {told}\n\nIn the documents: {document['summary']}"
    elif told:
        document["summary"] += f"\n\nIn the data: {told}"


def _rate(document: Json, findings: Sequence[Json]) -> None:
    """The confidence of a result whose data come first: one number, in the summary as in the score, and its parts."""
    confidences = [float(finding["confidence"]) for finding in findings]
    data = round(sum(confidences) / len(confidences), 4)
    methods = document["methods"]
    if not document["answered"]:
        document["confidence_score"] = data
        methods["confidence"] = {"formula": DATA_FORMULA, "parts": {"data": data}}
        return
    documents = Confidence(document["confidence_score"], {})
    both = Confidence(round((data + documents.score) / 2, 4), {})
    document["confidence_score"] = both.score
    methods["confidence"] = {
        "formula": BOTH_FORMULA,
        "parts": {"data": data, "documents": documents.score},
        "data": {"formula": DATA_FORMULA},
        "documents": methods["confidence"],
    }
    # What stands there is that of the documents alone; what is quoted before may hold the same words.
    before, found, after = document["summary"].rpartition(f": {stated(documents)}.")
    if found:
        parts = f"from the data {data:.2f}, from the documents {documents.score:.2f}; together {stated(both)}"
        document["summary"] = f"{before}: {parts}.{after}"


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
