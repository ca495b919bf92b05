"""The sentences that the report says itself: plain descriptions of what was done and found, never a statement on the
subject. Everything on the subject is quoted."""

from __future__ import annotations

from collections.abc import Sequence

from worker.engines.research.confidence import Confidence
from worker.engines.research.model import Outline, Plan
from worker.engines.text.wording import capitalised, count, quoted, shortened, title_of, were

_LONGEST_TITLE = 105


def stated(confidence: Confidence) -> str:
    """A confidence as summaries state it."""
    return f"{confidence.score:.2f} ({confidence.word})"


def basis(quotes: int, documents: int, read: int, identified: int, confidence: Confidence) -> str:
    """What the answer rests on, for the end of a summary."""
    return (
        f"This rests on {count(quotes, 'verified quote')} from {count(documents, 'document')}; "
        f"of {count(identified, 'document')} found or given, {were(read)} read. "
        f"Confidence: {stated(confidence)}."
    )


def overview_title(titles: Sequence[str]) -> str:
    """An overview's title, from the titles of the documents quoted."""
    if len(titles) == 1:
        return f"Overview of “{shortened(titles[0], _LONGEST_TITLE)}”"
    return f"Overview of {count(len(titles), 'document')}"


def overview_basis(quotes: int, documents: int, read: int, held: int, confidence: Confidence) -> str:
    """What an overview is and rests on, for the end of its summary."""
    return (
        "This is an overview: the prompt names no subject, so the statements most central to each document stand "
        f"here, in its own words. It rests on {count(quotes, 'verified quote')} from {count(documents, 'document')}; "
        f"of {count(held, 'document')} in these sources {were(read)} read. "
        f"Confidence that it stands for them: {stated(confidence)}."
    )


def no_overview(held: int, read: int) -> str:
    """The honest summary when no document can be quoted."""
    return (
        "Not found in these sources: the prompt asks for an overview, and no document holds a sentence that can be "
        f"quoted as a statement. Of {count(held, 'document')} {were(read)} read."
    )


def overview_method(held: int, read: int, included: int, checked: int, failed: int) -> str:
    """How an overview was made."""
    text = (
        f"The prompt names no subject to search for. Of {count(held, 'document')} in the sources {were(read)} read, "
        f"and {count(included, 'document')} held statements that could be used. Sentences were ranked by how alike "
        "they are to their whole document and to all documents (tf-idf over stems) and by their place (abstract, "
        "summary, conclusion, opening), with every document in turn. They are given in their authors' words; "
        "nothing was paraphrased. "
    )
    return (text + _checks(checked, failed)).rstrip()


def not_found(prompt: str, outline: Outline, identified: int, read: int) -> str:
    """The honest summary when the sources do not answer."""
    text = f"Not found in these sources: nothing in them answers “{title_of(prompt)}”."
    if not identified:
        text += " No document matched the search."
    else:
        text += f" Of {count(identified, 'document')} found or given, {were(read)} read."
    if outline.missing:
        text += f" No passage found mentions {quoted(outline.missing[:6], 'or')}."
    return text


def nearest(quotes: Sequence[str]) -> str:
    """The nearest statements, each with its marker, said to be no answer; empty when there is none."""
    if not quotes:
        return ""
    lead = "The nearest passage, which does" if len(quotes) == 1 else "The nearest passages, which do"
    return f"{lead} not amount to an answer: " + " ".join(quotes)


def method(
    plan: Plan,
    searches: int,
    identified: int,
    duplicates: int,
    read: int,
    included: int,
    checked: int,
    failed: int,
) -> str:
    """How the answer was made."""
    text = (
        (
            f"The prompt was searched from {count(searches, 'side')} "
            f"({quoted([facet.label for facet in plan.facets[1:searches]])} beside the whole)."
            if searches > 1
            else "The whole prompt was searched for."
        )
        + f" {capitalised(count(identified, 'document was', 'documents were'))} found or given"
        + (f", {count(duplicates, 'of them a duplicate', 'of them duplicates')}" if duplicates else "")
    )
    if not read:
        # How sentences were ranked is of no matter where there were none.
        return text + ("; none was read." if identified else ".")
    text += (
        f"; {were(read)} read, and {count(included, 'document')} held statements that could be used."
        " Sentences were ranked by how likely each is to be evidence (how much of the prompt it holds, where it stands,"
        " how it is worded) and by how much of the prompt its document holds. They are given in their authors' words;"
        " nothing was paraphrased. "
    )
    return (text + _checks(checked, failed)).rstrip()


def _checks(checked: int, failed: int) -> str:
    if not checked:
        return ""
    text = f"{capitalised(count(checked, 'quote was', 'quotes were'))} looked up again in the sources; "
    return text + ("all stood at their offsets." if not failed else f"{were(failed)} not found again.")
