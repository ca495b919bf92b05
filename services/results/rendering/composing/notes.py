"""Footnotes: which passages a claim or a key finding rests on, and what is said of each.

The engine says it (`evidence`); where it does not, the passages of the cited sources that fit the words best are
taken. A passage has one note, however many statements rest on it: later marks repeat its number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from services.results.rendering.composing.report import Inline, Inlines, Note, NoteRef, Styled, Text
from services.results.rendering.document import Claim, KeyFinding, Passage, PassageRef, ResultDocument
from services.results.rendering.plain_text import one_line

MOST_OF_A_STATEMENT = 3
"""Notes that one claim or finding shows; the rest of its passages are counted."""

MOST_OF_A_REPORT = 200
"""Notes of one report; passages after them stand under the references."""

_COMPARED = 50
"""Passages of one source that are compared with a statement."""
_WORD = re.compile(r"\w+")
_COMMA, _OPENING, _CLOSING = (Styled("super", (Text(sign),)) for sign in ",()")


class Notes:
    """The notes of one report, numbered in the order of their first marks.

    :param anchor: an anchor for the note of a number.
    :param source: the short citation of a source.
    :param place: where a passage stands, in words.
    :param raised: whether the citations before the marks are raised numbers themselves; marks are then in parentheses.
    """

    def __init__(
        self,
        document: ResultDocument,
        labels: Mapping[str, str],
        *,
        anchor: Callable[[int], str],
        source: Callable[[str], Inlines],
        place: Callable[[Passage], str],
        raised: bool,
    ) -> None:
        self._citations = {item.id: item for item in document.citations}
        self._labels = labels
        self._anchor, self._source, self._place = anchor, source, place
        self._raised = raised
        self._numbers: dict[PassageRef, int] = {}
        self._quoted: dict[PassageRef, bool] = {}
        self._places: dict[str, dict[str, int]] = {}
        self._likeness: dict[str, list[tuple[int, frozenset[str]]]] = {}

    def marks(self, item: Claim | KeyFinding) -> Inlines:
        """The marks after a statement, and in words how many more passages it rests on, which stand with the references
        or in notes of others."""
        text = one_line(item.text)
        passages = dict.fromkeys(item.evidence if item.evidence is not None else self._fitting(item))
        marks: list[NoteRef] = []
        for ref in passages:
            if ref not in self._numbers and len(self._numbers) == MOST_OF_A_REPORT:
                continue
            if len(marks) == MOST_OF_A_STATEMENT:
                break
            number = self._numbers.setdefault(ref, len(self._numbers) + 1)
            verbatim = one_line(self._passage(ref).quote) == text
            self._quoted[ref] = self._quoted.get(ref, True) and verbatim
            marks.append(NoteRef(number))
        parts: list[Inline] = []
        for mark in marks:
            # Two raised numbers side by side would read as one.
            parts += [_COMMA, mark] if parts else [mark]
        if parts and self._raised:
            parts.insert(0, _OPENING)
            parts.append(_CLOSING)
        if more := len(passages) - len(marks):
            label = self._labels["one_more_note" if more == 1 else "more_notes"]
            parts.append(Text(f" ({label.format(count=more)})"))
        return tuple(parts)

    def holds(self, citation: str, passage: int) -> bool:
        """Whether a note shows this passage."""
        return PassageRef(citation, passage) in self._numbers

    def holds_quote(self, item: KeyFinding) -> bool:
        """Whether a note shows the words that a finding quotes."""
        return item.quote is not None and any(
            passage.quote == item.quote and self.holds(id, index)
            for id in item.citations
            for index, passage in enumerate(self._citations[id].passages)
        )

    def all(self) -> tuple[Note, ...]:
        """The notes so far. One whose words stand at each of its marks does not repeat them: it says where they are."""
        return tuple(self._note(ref, number) for ref, number in self._numbers.items())

    def _note(self, ref: PassageRef, number: int) -> Note:
        passage = self._passage(ref)
        verbatim = self._quoted[ref]
        place = self._place(passage)
        return Note(
            number=number,
            anchor=self._anchor(number),
            source=self._source(ref.citation),
            quote="" if verbatim else one_line(passage.quote),
            place=f"{place}; {self._labels['word_for_word']}" if verbatim else place,
        )

    def _passage(self, ref: PassageRef) -> Passage:
        return self._citations[ref.citation].passages[ref.passage]

    def _fitting(self, item: Claim | KeyFinding) -> list[PassageRef]:
        """Of each cited source the passage that is the statement or its quote, else the one most like it; the most
        fitting first. None when no more notes can be shown: nobody said that the statement rests on them."""
        if len(self._numbers) == MOST_OF_A_REPORT:
            return []
        quote = item.quote if isinstance(item, KeyFinding) else None
        wanted = one_line(quote or item.text)
        found = [best for id in dict.fromkeys(item.citations) if (best := self._best(id, wanted)) is not None]
        return [ref for _, ref in sorted(found, key=lambda pair: -pair[0])]

    def _best(self, id: str, wanted: str) -> tuple[float, PassageRef] | None:
        quotes = self._quotes(id)
        if wanted in quotes:
            return 2.0, PassageRef(id, quotes[wanted])
        stated = _parts(wanted)
        scored = ((len(stated & parts) / max(1, len(stated)), place) for place, parts in self._compared(id))
        best = max(scored, key=lambda pair: pair[0], default=None)
        return None if best is None else (best[0], PassageRef(id, best[1]))

    def _quotes(self, id: str) -> dict[str, int]:
        """Places of a source's passages by their words."""
        if id not in self._places:
            passages = self._citations[id].passages
            self._places[id] = {one_line(passages[place].quote): place for place in reversed(range(len(passages)))}
        return self._places[id]

    def _compared(self, id: str) -> list[tuple[int, frozenset[str]]]:
        if id not in self._likeness:
            quotes = sorted(self._quotes(id).items(), key=lambda item: item[1])[:_COMPARED]
            self._likeness[id] = [(place, _parts(quote)) for quote, place in quotes]
        return self._likeness[id]


def _parts(text: str) -> frozenset[str]:
    """What two texts may have in common: words, and pairs of characters, for scripts without spaces between words."""
    folded = text.casefold()
    words = _WORD.findall(folded)
    together = [word for word in words if not word.isascii()]
    return frozenset((*words, *(word[place : place + 2] for word in together for place in range(len(word) - 1))))
