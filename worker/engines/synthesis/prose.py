"""The sentences that a synthesis says itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from worker.engines.synthesis.model import COMPUTED, Merged, Session
from worker.engines.text.wording import capitalised, count, listed, shortened, title_of

_LONGEST_QUESTION = 200


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
    shared = sum(item.shared for item in merged)
    agreed = sum(item.agreed for item in merged)
    text = f"{lead}\n\nThis brings together {count(len(sessions), 'session')}: {names}. {_repeats(merged)} "
    text += capitalised(count(shared, "statement is", "statements are") if shared else "no statement is")
    text += " made by more than one session"
    if agreed < shared:
        text += f" ({agreed or 'none'} of them from different sources)"
    text += f", and {count(disagreeing, 'pair contradicts', 'pairs contradict')} each other." if disagreeing else "."
    text += f" They cite {count(works, 'source')}. Confidence: {score:.2f}."
    empty = [titles[session.session_id] for session in sessions if not session.findings]
    if empty:
        text += f" {capitalised(listed(empty))} found no answer."
    partial = [titles[session.session_id] for session in sessions if session.partial]
    if partial:
        text += f" {capitalised(listed(partial))} {'is' if len(partial) == 1 else 'are'} partial."
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


def about(session: Session) -> str:
    """What a session asked, how sure it was, and what is to be known of it."""
    question = shortened(" ".join(session.prompt.split()), _LONGEST_QUESTION)
    text = f"It asked: “{question}” " if question and question != session.title else ""
    text += f"Its confidence is {session.confidence:.2f}, with {count(len(session.findings), 'finding')}."
    return text + (" Its results are partial: time or budget was nearly spent." if session.partial else "")


def how_made(sessions: Sequence[Session], merged: Sequence[Merged]) -> str:
    """How the synthesis was made."""
    findings = sum(len(session.findings) for session in sessions)
    return (
        f"{capitalised(count(findings, 'finding'))} of {count(len(sessions), 'session')} were compared by their words "
        "(stems, weighted by how rare they are), by the direction they point, by what acts on what, and by the amounts "
        "they give. Those that say the same were merged, with the surest one speaking for all; those that contradict "
        "each other were kept apart. Each statement is given in its session's words, with the sessions, findings and "
        "passages it goes back to. Citations of the same work were joined by DOI, by title with year or first author, "
        "or by their stored text. Agreement counts sources, not sessions: what two sessions have from one source is "
        f"said once. The result holds {count(len(merged), 'statement')}."
    )


def limits(sessions: Sequence[Session], titles: Mapping[str, str], merged: Sequence[Merged], unread: int) -> str:
    """What the reader should know of what is missing or weak."""
    remarks = [
        "Findings are compared by their words: the same thing said in quite other words stays apart, and a "
        "contradiction in other words is not noticed."
    ]
    if unread:
        remarks.append(
            f"{capitalised(count(unread, 'session was', 'sessions were'))} not read: time or budget was nearly spent."
        )
    for session in sessions:
        told = []
        if session.partial:
            told.append("its results are partial")
        if session.left_out:
            told.append(
                f"{count(session.left_out, 'statement')} that it could not verify {_was(session.left_out)} left out"
            )
        if session.beyond:
            more = f"{count(session.beyond, 'finding')} beyond the first {len(session.findings)}"
            told.append(f"{more} {_was(session.beyond)} not taken")
        if not session.findings:
            told.append("it found no answer")
        if told:
            remarks.append(f"{titles[session.session_id]}: {listed(told)}.")
    single = sum(item.shared and not item.agreed for item in merged)
    if single:
        remarks.append(
            f"{capitalised(count(single, 'statement that', 'statements that'))} several sessions make "
            f"{'rests' if single == 1 else 'rest'} on one source in all of them."
        )
    if any(item.support == COMPUTED for item in merged):
        remarks.append("What was computed from data shows associations in those data, and by itself no causes.")
    return "\n\n".join(remarks)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
