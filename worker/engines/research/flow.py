"""The screening flow of a result: what was identified, left out and used, with every count of a PRISMA 2020 diagram
(Page et al., "The PRISMA 2020 statement", BMJ 2021, figure 1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from worker.engines.research.model import Candidate, Exclusion, Json

GIVEN, LIBRARY = "given", "library"
_STAGES = ("identification", "screening", "retrieval", "reading")
_KIND = re.compile(r"[^:“]+")


def screening_of(
    candidates: Sequence[Candidate],
    excluded: Sequence[Exclusion],
    *,
    named: Sequence[str],
    held: int,
) -> Json:
    """The flow as counts that add up, and each document left out with its reason::

        identified           = Σ identified_by
        screened             = identified − duplicates_removed − not_listed
        sought               = screened − excluded_at_screening
        assessed             = sought − not_retrieved
        included             = assessed − excluded_after_reading

    Args:
        named: ids of the documents that the session names; those that gave no text were sought and not retrieved.
        held: documents that the sources hold or the searches found; `not_listed` is by how much an overview of a large
            library lists fewer. Documents that are named are all listed.
    """
    listed = {item.document_id for item in candidates}
    absent = [document_id for document_id in dict.fromkeys(named) if document_id not in listed]
    out = [*excluded, *(Exclusion(document_id, "", "holds no text, or is gone", "retrieval") for document_id in absent)]
    found_by = Counter(item.source for item in candidates)
    found_by[GIVEN] += len(absent)
    not_listed = max(0, held - len(candidates))
    found_by[GIVEN if named else LIBRARY] += not_listed
    at = Counter(item.stage for item in out)
    identified = sum(found_by.values())
    screened = identified - at["identification"] - not_listed
    sought = screened - at["screening"]
    assessed = sought - at["retrieval"]
    reasons = Counter((item.stage, kind_of(item.reason)) for item in out)
    return {
        "identified": identified,
        "identified_by": {name: found_by[name] for name in sorted(found_by) if found_by[name]},
        "duplicates_removed": at["identification"],
        "not_listed": not_listed,
        "screened": screened,
        "excluded_at_screening": at["screening"],
        "sought": sought,
        "not_retrieved": at["retrieval"],
        "assessed": assessed,
        "excluded_after_reading": at["reading"],
        "included": assessed - at["reading"],
        "reasons": [
            {"stage": stage, "reason": reason, "documents": number}
            for (stage, reason), number in sorted(
                reasons.items(), key=lambda item: (_STAGES.index(item[0][0]), -item[1], item[0][1])
            )
        ],
        "excluded": [asdict(item) for item in out],
    }


def kind_of(reason: str) -> str:
    """A reason without what is particular to one document."""
    match = _KIND.match(reason)
    return (match.group() if match else reason).strip().removesuffix(" of").rstrip()
