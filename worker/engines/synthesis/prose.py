"""The sentences that a synthesis says itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from worker.engines.synthesis.model import Merged, Session
from worker.engines.text.wording import capitalised, count, listed


def labelled(sessions: Sequence[Session]) -> dict[str, str]:
    """Each session's title in quotation marks; sessions of the same title are numbered."""
    repeats = Counter(session.title for session in sessions)
    seen: Counter[str] = Counter()
    labels = {}
    for session in sessions:
        seen[session.title] += 1
        number = f" ({seen[session.title]})" if repeats[session.title] > 1 else ""
        labels[session.session_id] = f"“{session.title}”{number}"
    return labels


def summary_of(
    lead: str,
    sessions: Sequence[Session],
    titles: Mapping[str, str],
    merged: int,
    shared: int,
    disagreeing: int,
    works: int,
    score: float,
) -> str:
    """The executive summary: the leading statements, then what they rest on."""
    names = listed([titles[session.session_id] for session in sessions])
    if not lead:
        return f"Not found in these sources: none of the {len(sessions)} sessions ({names}) found an answer."
    findings = sum(len(session.findings) for session in sessions)
    text = (
        f"{lead}\n\nThis brings together {count(len(sessions), 'session')}: {names}. "
        f"Their {count(findings, 'finding')} became {merged}; "
        f"{count(shared, 'is', 'are') if shared else 'none is'} stated by more than one session"
    )
    text += f", and {count(disagreeing, 'pair contradicts', 'pairs contradict')} each other." if disagreeing else "."
    text += f" They cite {count(works, 'source')}. Confidence: {score:.2f}."
    empty = [titles[session.session_id] for session in sessions if not session.findings]
    if empty:
        text += f" {capitalised(listed(empty))} found no answer."
    return text


def how_made(sessions: Sequence[Session], merged: Sequence[Merged]) -> str:
    """How the synthesis was made."""
    findings = sum(len(session.findings) for session in sessions)
    return (
        f"{capitalised(count(findings, 'finding'))} of {count(len(sessions), 'session')} were compared by their words "
        "(stems, weighted by how rare they are). Those that say the same were merged, with the surest one speaking for "
        "all; those that point opposite ways were kept apart. Each statement is given in its session's words, with the "
        "sessions, findings and citations it goes back to. Citations of the same work were joined by DOI, by title and "
        f"year, or by their stored text. The result holds {count(len(merged), 'statement')}."
    )
