"""Sections without what the key findings say already.

A report states its key findings in full at its head. Where a section states one of them again word for word, as a
paragraph or at the end of one, a pointer to the finding stands there instead. Nothing is lost: a statement is only left
out where the finding says the same and cites at least the same sources. Likewise a claim that an earlier section states
in a paragraph of its own, as a theme does, is told there, and its own section points at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.results.rendering.composing.weaving import Segment
from services.results.rendering.document import KeyFinding
from services.results.rendering.plain_text import one_line, shorten

_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "؟", "।")
_ATTRIBUTION = re.compile(r"(?:\s*\((?:data: [^()]{1,300}|“[^()]{1,2000}”)\))+\s*")
_TITLE = re.compile(r"(?<=\(“)[^()]{1,2000}(?=”\))")
_TAG = 60
"""Characters of a session's title after a statement of its."""
_CLOSING = "\"'”’»)]"


class KeyStatements:
    """The key findings by their words."""

    def __init__(self, findings: Iterable[KeyFinding]) -> None:
        self._findings: dict[str, KeyFinding] = {}
        for finding in findings:
            self._findings.setdefault(one_line(finding.text), finding)

    def same(self, segment: Segment) -> KeyFinding | None:
        """The key finding that says all this segment says."""
        finding = self._findings.get(segment.text)
        return finding if finding is not None and set(segment.citations) <= set(finding.citations) else None

    def part(self, segments: Sequence[Segment]) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """A paragraph in two: what to keep, and the repeated statements at its end.

        Statements stay where they complete a sentence that has begun before them.
        """
        start = len(segments)
        while start and (self.same(segments[start - 1]) or _says_nothing(segments[start - 1])):
            start -= 1
        # What is said of a statement that stays is not taken from it.
        while start < len(segments) and _says_nothing(segments[start]):
            start += 1
        if start and not segments[start - 1].text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS):
            return tuple(segments), ()
        repeated = tuple(segment for segment in segments[start:] if not _says_nothing(segment))
        return (tuple(segments[:start]), repeated) if repeated else (tuple(segments), ())


def _says_nothing(segment: Segment) -> bool:
    """Whether the segment is blank, or says of the statement before it only which data or session it comes from: the
    finding stands with its exhibits and its data, and the section names the session."""
    return not segment.citations and (not segment.text.strip() or _ATTRIBUTION.fullmatch(segment.text) is not None)


Paragraphs = list[tuple[Segment, ...]]


def told_first(sections: Sequence[Paragraphs], findings: KeyStatements) -> tuple[list[Paragraphs], dict[str, int]]:
    """The sections with each claim at the first paragraph that states it, and in which section that is, by claim, for
    those that are told before their own section. What a key finding says is left alone: it is told there."""
    own = {
        segment.text: (place, segment)
        for place, section in enumerate(sections)
        for segment in (segment for segments in section for segment in segments)
        if segment.claim is not None and findings.same(segment) is None
    }
    told: dict[str, int] = {}
    result: list[Paragraphs] = []
    for place, section in enumerate(sections):
        made: Paragraphs = []
        for segments in section:
            stated = [segment for segment in segments if not _says_nothing(segment)]
            home = own.get(stated[0].text) if len(stated) == 1 and stated[0].claim is None else None
            claim = home[1].claim if home is not None and home[0] > place else None
            if home is None or claim is None or claim in told or not set(home[1].citations) <= set(stated[0].citations):
                made.append(segments)
                continue
            told[claim] = place
            made.append(tuple(replace(item, claim=claim) if item is stated[0] else item for item in segments))
        result.append(made)
    return result, told


def told_in(segments: Sequence[Segment], told: dict[str, int], place: int) -> int | None:
    """The earlier section that states all of this paragraph of the section at `place`."""
    stated = [segment for segment in segments if not _says_nothing(segment)]
    first = told.get(stated[0].claim or "") if len(stated) == 1 else None
    return first if first is not None and first < place else None


def tag(text: str) -> str:
    """A segment that only names the session behind a statement, with a long title shortened; others as they are."""
    return _TITLE.sub(lambda found: shorten(found[0], _TAG), text) if _ATTRIBUTION.fullmatch(text) else text
