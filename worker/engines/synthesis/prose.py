"""The sentences that a synthesis says itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from worker.engines.synthesis.model import Merged, Session
from worker.engines.text.wording import capitalised, count, listed, title_of


def labelled(sessions: Sequence[Session]) -> dict[str, str]:
    """Each session's title in quotation marks. Sessions of the same title go by their prompts; where these are the same
    as well, they are numbered."""
    titles = Counter(session.title for session in sessions)
    names = [
        title_of(session.prompt) if titles[session.title] > 1 and session.prompt.strip() else session.title
        for session in sessions
    ]
    repeats = Counter(names)
    seen: Counter[str] = Counter()
    labels = {}
    for session, name in zip(sessions, names, strict=True):
        seen[name] += 1
        number = f" ({seen[name]})" if repeats[name] > 1 else ""
        labels[session.session_id] = f"“{name}”{number}"
    return labels


def summary_of(
    lead: str,
    sessions: Sequence[Session],
    titles: Mapping[str, str],
    merged: Sequence[Merged],
    disagreeing: int,
    works: int,
    score: float,
) -> str:
    """The executive summary: the leading statements, then what they rest on."""
    names = listed([titles[session.session_id] for session in sessions])
    if not lead:
        return f"Not found in these sources: none of the {count(len(sessions), 'session')} ({names}) found an answer."
    shared = sum(len(item.sessions) > 1 for item in merged)
    text = f"{lead}\n\nThis brings together {count(len(sessions), 'session')}: {names}. {_repeats(merged)} "
    text += capitalised(count(shared, "statement is", "statements are") if shared else "no statement is")
    text += " made by more than one session"
    text += f", and {count(disagreeing, 'pair contradicts', 'pairs contradict')} each other." if disagreeing else "."
    text += f" They cite {count(works, 'source')}. Confidence: {score:.2f}."
    empty = [titles[session.session_id] for session in sessions if not session.findings]
    if empty:
        text += f" {capitalised(listed(empty))} found no answer."
    return text


def _repeats(merged: Sequence[Merged]) -> str:
    """How the findings come down to fewer statements: each finding is a statement, or repeats one of another session,
    or one of its own."""
    findings = sum(len(item.members) for item in merged)
    across = sum(len(item.sessions) - 1 for item in merged)
    within = findings - len(merged) - across
    text = f"Their {count(findings, 'finding')}"
    if findings == len(merged):
        return text + " all say something different."
    text += f" come down to {count(len(merged), 'statement')}: "
    parts = [f"{count(across, 'repeats', 'repeat')} a finding of another session"] if across else []
    if within:
        parts.append(f"{count(within, 'repeats', 'repeat')} one of the same session")
    return text + listed(parts) + "."


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
