"""Sections without what the key findings say already.

A report states its key findings in full at its head. Where a section states one of them again word for word, as a
paragraph or at the end of one, a pointer to the finding stands there instead. Nothing is lost: a statement is only left
out where the finding says the same and cites at least the same sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.results.rendering.document import KeyFinding
from services.results.rendering.plain_text import one_line
from services.results.rendering.weaving import Segment

_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "؟", "।")
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
        while start and (self.same(segments[start - 1]) or _is_blank(segments[start - 1])):
            start -= 1
        if start and not segments[start - 1].text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS):
            return tuple(segments), ()
        repeated = tuple(segment for segment in segments[start:] if not _is_blank(segment))
        return (tuple(segments[:start]), repeated) if repeated else (tuple(segments), ())


def _is_blank(segment: Segment) -> bool:
    return not segment.text.strip() and not segment.citations
