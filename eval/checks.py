"""What must hold of every research result, given the stored texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from worker.engines.text.statements import display

JSON = dict[str, Any]
_MARKER = re.compile(r"(?<=\s)((?:\[\d+\])+)(?=\s|$)")


def problems_of(answer: JSON, stored: Mapping[str, tuple[str, str]]) -> tuple[list[str], Counter[str]]:
    """Everything wrong with the answer of a results path, and what was counted on the way. `stored` has text and
    SHA-256 of every document cited."""
    results, citations = answer["results"], answer["citations"]
    seen: Counter[str] = Counter(sessions=1, answered=int(bool(results["answered"])))
    found = [*_quotes(citations, stored, seen), *_gists(results, stored)]
    found += _claims(results, citations, str(answer["summary"]), seen)
    found += _markers(results, citations, str(answer["summary"]), seen)
    found += flow_problems(results["screening"])
    if results["answered"] != bool(results["key_findings"]):
        found.append("key findings and answered disagree")
    if not 0 <= float(answer["confidence_score"]) <= 1:
        found.append("a confidence outside 0..1")
    return found, seen


def _quotes(citations: list[JSON], stored: Mapping[str, tuple[str, str]], seen: Counter[str]) -> list[str]:
    found = []
    for citation in citations:
        text, digest = stored[citation["document_id"]]
        seen["documents cited"] += 1
        for passage in citation["passages"]:
            seen["quotes"] += 1
            start, end = int(passage["start"]), int(passage["end"])
            if text[start:end] != passage["quote"] or not passage["quote"]:
                found.append(f"a quote is not at {start}..{end} of {citation['document_id']}")
            elif passage["sha256"] != digest:
                found.append(f"another hash than that of the text of {citation['document_id']}")
            else:
                seen["quotes at their offsets"] += 1
    return found


def _gists(results: JSON, stored: Mapping[str, tuple[str, str]]) -> list[str]:
    found = []
    for source in results["sources"]:
        gist = source["gist"]
        if gist is None or source["document_id"] not in stored:
            continue
        if stored[source["document_id"]][0][int(gist["start"]) : int(gist["end"])] != gist["text"]:
            found.append(f"a gist is not at its offsets in {source['document_id']}")
    return found


def _claims(results: JSON, citations: list[JSON], summary: str, seen: Counter[str]) -> list[str]:
    cited = {citation["id"]: {passage["quote"] for passage in citation["passages"]} for citation in citations}
    known = cited.keys()
    quotes = {quote for own in cited.values() for quote in own}
    found = []
    for section in results["sections"]:
        for claim in section["claims"]:
            seen["claims"] += 1
            if claim["support"] not in ("supported", "contradicted", "unverified", "computed"):
                found.append(f"support {claim['support']!r}")
            if claim["support"] in ("supported", "contradicted") and not claim["citations"]:
                found.append("a claim without citation")
            if claim["support"] == "unverified" and (claim["citations"] or claim["text"] in summary):
                found.append("an unverified claim is cited or told in the summary")
            if not known >= set(claim["citations"]):
                found.append("a claim cites what is not there")
            elif claim["citations"] and not any(
                claim["text"] in map(display, cited[own]) for own in claim["citations"]
            ):
                found.append("a claim is no quote of what it cites")
    for finding in results["key_findings"]:
        if finding["support"] == "unverified":
            found.append("an unverified key finding")
        if finding["support"] in ("supported", "contradicted"):
            if not finding["citations"] or not known >= set(finding["citations"]):
                found.append("a key finding cites what is not there")
            elif not any(finding["quote"] in cited[own] for own in finding["citations"]):
                found.append("a key finding's quote is in none of its citations")
    for pair in results["contradictions"]:
        if len(pair["passages"]) != 2 or any(passage["quote"] not in quotes for passage in pair["passages"]):
            found.append("a contradiction without both passages")
    return found


def _markers(results: JSON, citations: list[JSON], summary: str, seen: Counter[str]) -> list[str]:
    found = []
    for text in (summary, *(section["body"] for section in results["sections"])):
        for run in _MARKER.findall(text):
            for number in re.findall(r"\d+", run):
                seen["markers"] += 1
                if not 1 <= int(number) <= len(citations):
                    found.append(f"marker [{number}] of {len(citations)} citations")
    return found


def flow_problems(flow: JSON) -> list[str]:
    """Where the counts of a screening flow do not add up."""
    stages = Counter(item["stage"] for item in flow["excluded"])
    sums = {
        "identified": sum(flow["identified_by"].values()),
        "duplicates_removed": stages["identification"],
        "screened": flow["identified"] - flow["duplicates_removed"] - flow["not_listed"],
        "excluded_at_screening": stages["screening"],
        "sought": flow["screened"] - flow["excluded_at_screening"],
        "not_retrieved": stages["retrieval"],
        "assessed": flow["sought"] - flow["not_retrieved"],
        "excluded_after_reading": stages["reading"],
        "included": flow["assessed"] - flow["excluded_after_reading"],
    }
    found = [f"screening: {name} is {flow[name]}, not {value}" for name, value in sums.items() if flow[name] != value]
    if flow["included"] < 0:
        found.append("screening: fewer than nothing included")
    if sum(item["documents"] for item in flow["reasons"]) != len(flow["excluded"]):
        found.append("screening: the reasons do not add up")
    if any(not item["reason"] for item in flow["excluded"]):
        found.append("screening: somebody left out without a reason")
    return found
