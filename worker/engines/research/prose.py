"""The sentences that the report says itself: plain descriptions of what was done and found, never a statement on the
subject. Everything on the subject is quoted."""

from __future__ import annotations

from worker.engines.research.confidence import Confidence
from worker.engines.research.model import Outline, Plan
from worker.engines.text.wording import capitalised, count, quoted, title_of, were


def basis(quotes: int, documents: int, read: int, identified: int, confidence: Confidence) -> str:
    """What the answer rests on, for the end of a summary."""
    return (
        f"This rests on {count(quotes, 'verified quote')} from {count(documents, 'document')}; "
        f"{count(identified, 'document')} matched the search and {were(read)} read. "
        f"Confidence: {confidence.score:.2f} ({confidence.word})."
    )


def not_found(prompt: str, outline: Outline, identified: int, read: int) -> str:
    """The honest summary when the sources do not answer."""
    text = f"Not found in these sources: nothing in them answers “{title_of(prompt)}”."
    if not identified:
        text += " No document matched the search."
    else:
        text += f" {capitalised(count(identified, 'document'))} matched the search and {were(read)} read."
    if outline.missing:
        text += f" No passage found mentions {quoted(outline.missing[:6], 'or')}."
    if outline.nearest:
        text += " The nearest passages are listed below; they do not amount to an answer."
    return text


def gaps(outline: Outline) -> str:
    """What was asked and not found; empty when nothing is missing."""
    parts = []
    if outline.missing:
        parts.append(f"No passage found mentions {quoted(outline.missing[:12], 'or')}.")
    if outline.open_facets:
        parts.append(f"No statement was found that speaks to {quoted(outline.open_facets[:12], 'or')}.")
    return " ".join(parts)


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
        f"The prompt was searched from {count(searches, 'side')}"
        + (f" ({quoted([facet.label for facet in plan.facets[1:searches]])} beside the whole)" if searches > 1 else "")
        + f". The searches identified {count(identified, 'document')}"
        + (f", {count(duplicates, 'of them a duplicate', 'of them duplicates')}" if duplicates else "")
        + f"; {were(read)} read, and {count(included, 'document')} held statements that could be used."
        " Sentences were ranked by how well they meet the prompt (BM25 over stems, coverage of its terms in the"
        " sentence and around it) and are given in their authors' words; nothing was paraphrased. "
    )
    if checked:
        text += f"{capitalised(count(checked, 'quote was', 'quotes were'))} looked up again in the sources; "
        text += "all stood at their offsets." if not failed else f"{were(failed)} not found again."
    return text.rstrip()
