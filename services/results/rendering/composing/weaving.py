"""Where an engine's prose states its claims, and what it cites there.

Bodies and summaries are plain text. A claim may stand in them word for word, and a marker such as `[2]` or `[1][3]`
after it names citations by their place in the list, counted from 1. Here the prose is taken apart at these places, so
that the citations can be set in the reader's style and every claim can be pointed at. Brackets that are part of a
statement itself are left alone: a source's own words may hold some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.results.rendering.document import Claim, KeyFinding, ResultDocument
from services.results.rendering.plain_text import one_line

_MARKERS = re.compile(r"\s?((?:\[\d{1,5}\])+)")
_NUMBER = re.compile(r"\d+")
_HEAD = 8
"""Characters by which statements are looked up."""

Group = tuple[str, ...]
"""Ids of citations named together."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of prose, the claim that it states, if it is the first to state it, and what is cited after it."""

    text: str
    claim: str | None = None
    citations: Group = ()


def group(citations: Iterable[str]) -> Group:
    """Citations named together, each once."""
    return tuple(dict.fromkeys(citations))


class Weaver:
    """Takes the prose of one document apart."""

    def __init__(self, document: ResultDocument) -> None:
        self._order = [citation.id for citation in document.citations]
        stating: tuple[KeyFinding | Claim, ...] = (*document.key_findings, *document.claims())
        texts = (item.text for item in stating)
        # The longest first, so that a statement is not taken for a shorter one that it contains.
        statements = sorted({line for text in texts if (line := one_line(text))}, key=lambda text: (-len(text), text))
        self._by_head: dict[str, list[tuple[int, str]]] = {}
        for rank, statement in enumerate(statements):
            self._by_head.setdefault(statement[:_HEAD], []).append((rank, statement))
        self._short = [head for head in self._by_head if len(head) < _HEAD]

    def weave(self, line: str, claims: Mapping[str, Claim]) -> tuple[Segment, ...]:
        """The segments of one paragraph.

        :param claims: claims still without a place, by their text on one line.
        """
        segments: list[Segment] = []
        done = 0
        for start, end in self._stated(line):
            segments.extend(self._prose(line[done:start]))
            claim = claims.get(line[start:end])
            marked, done = self._marked(line, end)
            cited = marked or (group(claim.citations) if claim else ())
            segments.append(Segment(line[start:end], claim.id if claim else None, cited))
        segments.extend(self._prose(line[done:]))
        return tuple(segments)

    def _stated(self, line: str) -> list[tuple[int, int]]:
        """Where statements stand in the line, in order and without overlap."""
        found: list[tuple[int, int]] = []
        for text in self._candidates(line):
            for start in _whole(line, text):
                if all(start >= other_end or start + len(text) <= other for other, other_end in found):
                    found.append((start, start + len(text)))
        return sorted(found)

    def _candidates(self, line: str) -> list[str]:
        """Statements that may stand in the line, the longest first: those that begin as some place in it does."""
        heads = {line[place : place + _HEAD] for place in range(len(line))}
        found = [item for head in heads & self._by_head.keys() for item in self._by_head[head]]
        found += [item for head in self._short if head not in heads for item in self._by_head[head]]
        return [text for _, text in sorted(found) if len(text) <= len(line)]

    def _prose(self, text: str) -> list[Segment]:
        """The engine's own words between statements, parted at the markers."""
        segments: list[Segment] = []
        done = 0
        for found in _MARKERS.finditer(text):
            if cited := self._cited(found[1]):
                segments.append(Segment(text[done : found.start()], None, cited))
                done = found.end()
        if done < len(text):
            segments.append(Segment(text[done:]))
        return segments

    def _marked(self, line: str, at: int) -> tuple[Group, int]:
        """What the marker at this place names, and where it ends."""
        found = _MARKERS.match(line, at)
        cited = self._cited(found[1]) if found else ()
        return (cited, found.end()) if found and cited else ((), at)

    def _cited(self, markers: str) -> Group:
        """The ids behind markers; none if one of them leads nowhere, for then they are ordinary brackets."""
        numbers = [int(number) for number in _NUMBER.findall(markers)]
        if all(1 <= number <= len(self._order) for number in numbers):
            return group(self._order[number - 1] for number in numbers)
        return ()


def _whole(line: str, text: str) -> Sequence[int]:
    """Where `text` stands in `line` as whole words."""
    places: list[int] = []
    at = line.find(text)
    while at >= 0:
        around = line[max(0, at - 1) : at] + line[at + len(text) : at + len(text) + 1]
        if not any(character.isalnum() for character in around):
            places.append(at)
        at = line.find(text, at + len(text))
    return places
