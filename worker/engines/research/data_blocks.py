"""Adding the analysis of a session's datasets to its result document."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.research.model import Json
from worker.engines.text.identifiers import content_id

_SUMMARY_FINDINGS = 3


def add_datasets(document: Json, datasets: Sequence[Json], *, documents_asked: bool) -> None:
    """Adds tables, figures, analysis, findings and sections of each dataset to `document`, in place.

    Findings of the data rest on the dataset, not on a quote, so they carry its name and no citation. When no document
    answers, the confidence of the result is the mean of the confidences that the analysis gives its own findings.
    """
    findings: list[Json] = []
    sections: list[Json] = []
    document["analysis"] = []
    for item in datasets:
        blocks = item["blocks"]
        for name in ("tables", "figures", "analysis"):
            document[name].extend(blocks[name])
        sections += [_of_dataset(section, item["name"]) for section in blocks["sections"]]
        findings += [{**finding, "document_id": item["document_id"]} for finding in blocks["key_findings"]]
    # What the data say stands before the last section, which tells how all of it was made.
    document["sections"][-1:-1] = sections
    document["key_findings"].extend(findings)
    told = " ".join(
        [item["blocks"]["left_out"] for item in datasets if item["blocks"]["left_out"]]
        + [finding["text"] for finding in findings[:_SUMMARY_FINDINGS]]
    )
    if findings and not document["answered"]:
        document["answered"] = True
        confidences = [float(finding["confidence"]) for finding in findings]
        document["confidence_score"] = round(sum(confidences) / len(confidences), 4)
        document["methods"]["confidence"]["formula"] = "mean confidence of the findings in the data"
    if not documents_asked:
        document["summary"] = told or "The data gave no finding."
    elif told:
        document["summary"] += f"\n\nIn the data: {told}"


def _of_dataset(section: Json, name: str) -> Json:
    """The section under a heading that names the dataset, with ids that two datasets cannot share."""
    claims = [{**claim, "id": content_id("claim", name, claim["id"])} for claim in section["claims"]]
    heading = f"{name}: {section['heading'].lower()}"
    return {**section, "id": content_id("section", name, section["id"]), "heading": heading, "claims": claims}
