"""From a result document to a report: numbers, labels, citations and the order of things are settled here."""

from __future__ import annotations

from collections.abc import Sequence

from services.results.rendering import analyses, blocks
from services.results.rendering.anchors import Anchors
from services.results.rendering.document import Claim, KeyFinding, Passage, ResultDocument, Section
from services.results.rendering.exhibits import Exhibits
from services.results.rendering.labels import labels
from services.results.rendering.metadata import ExecutionMetadata, run_facts
from services.results.rendering.plain_text import one_line, paragraphs, shorten
from services.results.rendering.reader_blocks import SILENT, ReaderBlocks
from services.results.rendering.references import FormattedReference, format_references
from services.results.rendering.repetition import KeyStatements
from services.results.rendering.report import (
    Anchored,
    Block,
    Bullets,
    Evidence,
    Finding,
    Inline,
    Inlines,
    Pairs,
    Paragraph,
    Ref,
    Reference,
    Report,
    SectionBlock,
    Text,
)
from services.results.rendering.values import cell, day, is_scalar, score, words
from services.results.rendering.weaving import Segment, Weaver, group

_LEAD = 90
"""Characters of an answer that the key findings give of it, at most."""

MAX_PASSAGES = 50
"""Passages shown for one source; the rest is counted in a note."""

_FINDINGS_OF_THEIR_OWN = frozenset({"bridges", "conflicts", "contradictions", "hypotheses"})
"""Blocks that are part of what was found; the others say how, and stand after the references."""

_FIRST = ("contradictions", "conflicts", "facets", "gaps", "sources", "agreements", "themes", "provenance")
_LAST = ("screening", "methods", "reproduction")
"""Known blocks in their order, before and after those of other names: storage keeps members sorted by name."""


def compose(
    document: ResultDocument, metadata: ExecutionMetadata | None, *, citation_style: str, language: str
) -> Report:
    """Lay the document out as a report.

    :param language: BCP 47 tag of the fixed words, the hyphenation and the citations' terms.
    :raises UnknownCitationStyle: the style is not known.
    """
    return _Composer(document, metadata, citation_style, language).report()


class _Composer:
    def __init__(self, document: ResultDocument, metadata: ExecutionMetadata | None, style: str, language: str) -> None:
        self._document = document
        self._metadata = metadata
        self._labels = labels(language)
        self._language = language
        self._anchors = Anchors()
        self._entries = {item.id: self._anchors.of("ref", item.id) for item in document.citations}
        self._citations = {item.id: item for item in document.citations}
        self._exhibits = Exhibits(document, self._anchors, self._labels)
        self._findings = {item.id: self._anchors.of("finding", item.id) for item in document.key_findings}
        self._number = {item.id: number for number, item in enumerate(document.key_findings, start=1)}
        self._stated = KeyStatements(document.key_findings)
        self._answer = analyses.answer(document)
        self._places = [self._anchors.of("section", item.id) for item in document.sections]
        # What is cited where has to be known before anything is written: numeric styles count in the text's order.
        weaver = Weaver(document)
        self._summary = [weaver.weave(line, {}) for line in paragraphs(document.summary)]
        self._woven = [_weave(weaver, section) for section in document.sections]
        self._references = format_references(
            document.citations, self._cited(), self._entries, style=style, language=language
        )

    def report(self) -> Report:
        document, metadata = self._document, self._metadata or {}
        kind, session_id = metadata.get("session_type"), metadata.get("session_id")
        title = one_line(document.title) or self._labels["report"]
        question = self._question()
        before, after = self._own_blocks()
        exhibits = self._exhibits.section()
        return Report(
            title=title,
            language=self._language,
            labels=self._labels,
            kind=self._labels.get(kind if isinstance(kind, str) else "report", self._labels["report"]),
            # A title that is the question says it already.
            question=question if question != title else "",
            date=day(metadata.get("finished_at")) or day(metadata.get("created_at")),
            session_id=one_line(session_id) if isinstance(session_id, str) else None,
            confidence=score(document.confidence_score),
            partial=document.partial,
            summary=tuple(self._paragraph(segments) for segments in self._summary),
            findings=tuple(self._finding(item) for item in document.key_findings),
            sections=(
                *(self._section(index) for index in range(len(document.sections)) if not self._only_points(index)),
                *([exhibits] if exhibits else []),
                *before,
            ),
            references=tuple(self._reference(item) for item in self._references.entries),
            appendix=(*after, *self._run()),
        )

    def _question(self) -> str:
        """What was asked: of the run, or as the engine noted it."""
        asked = ((self._metadata or {}).get("prompt"), self._document.blocks.get("question"))
        return next((line for text in asked if isinstance(text, str) and (line := one_line(text))), "")

    def _cited(self) -> list[tuple[str, ...]]:
        """Groups of citations in the order of the report."""
        groups = [segment.citations for segments in self._summary for segment in segments]
        groups += [group(finding.citations) for finding in self._document.key_findings]
        for woven, rest in self._woven:
            groups += [segment.citations for segments in woven for segment in segments]
            groups += [group(claim.citations) for claim in rest]
        return groups

    def _section(self, index: int) -> SectionBlock:
        section, (woven, rest) = self._document.sections[index], self._woven[index]
        anchor = self._places[index]
        body: list[Block] = []
        repeated: list[Segment] = []
        answers = self._answer is not None and self._answer[1] == index
        for segments in woven:
            kept, again = (segments, ()) if answers else self._stated.part(segments)
            if kept:
                body.extend(self._pointer(repeated))
                repeated = []
                body.append(self._paragraph(kept))
            repeated.extend(again)
        claims = [Segment(one_line(claim.text), claim.id, group(claim.citations)) for claim in rest]
        repeated.extend(claim for claim in claims if self._stated.same(claim))
        body.extend(self._pointer(repeated))
        if own := [self._paragraph((claim,)) for claim in claims if not self._stated.same(claim)]:
            body.append(Bullets(tuple(own)))
        heading = one_line(section.heading)
        body.extend(Paragraph((Text(line),)) for line in analyses.more_of(heading, self._document))
        return SectionBlock(anchor, heading or words(section.id), tuple(analyses.listed(body)))

    def _only_points(self, index: int) -> bool:
        """Whether nothing of an analysis's section is left beside its key findings, so that it would say nothing."""
        woven, rest = self._woven[index]
        if not analyses.is_analysis(self._document) or not woven or (self._answer and self._answer[1] == index):
            return False
        parts = [self._stated.part(segments) for segments in woven]
        # A lead that ends in a colon announces what then stands elsewhere.
        kept = [segments for segments, _ in parts if segments and not segments[-1].text.rstrip().endswith(":")]
        return any(again for _, again in parts) and not kept and not rest

    def _pointer(self, repeated: Sequence[Segment]) -> list[Paragraph]:
        """Where to read the statements that stand among the key findings; the claims can be pointed at here."""
        numbers: dict[str, list[Segment]] = {}
        for segment in repeated:
            finding = self._stated.same(segment)
            assert finding is not None, "only what a key finding says is left out"
            numbers.setdefault(finding.id, []).append(segment)
        if not numbers:
            return []
        parts: list[Anchored | Inline] = [Text(self._labels["see_finding" if len(numbers) == 1 else "see_findings"])]
        for place, (id, segments) in enumerate(sorted(numbers.items(), key=lambda item: self._number[item[0]])):
            parts.append(Text(", " if place else " "))
            anchors = [self._anchors.of("claim", segment.claim) for segment in segments if segment.claim is not None]
            parts.extend(Anchored(anchor, ()) for anchor in anchors)
            parts.append(Ref(self._findings[id], (Text(str(self._number[id])),)))
        return [Paragraph((*parts, Text(".")))]

    def _paragraph(self, segments: tuple[Segment, ...]) -> Paragraph:
        parts: list[Anchored | Inline] = []
        for segment in segments:
            own = analyses.spans(segment.text) if "analysis" in self._document.blocks else (Text(segment.text),)
            inlines = (*own, *self._label(segment.citations))
            if segment.claim is None:
                parts.extend(inlines)
            else:
                parts.append(Anchored(self._anchors.of("claim", segment.claim), inlines))
        return Paragraph(tuple(parts))

    def _label(self, citations: tuple[str, ...]) -> Inlines:
        """The citations' label with the space before it; none before a superscript."""
        label = self._references.labels.get(citations, ())
        return label if not label or _is_superscript(label) else (Text(" "), *label)

    def _finding(self, finding: KeyFinding) -> Finding:
        text = one_line(finding.text)
        said: Inlines = (Text(text), *self._label(group(finding.citations)))
        if self._answer is not None and text in self._answer[0]:
            place = self._answer[1]
            link = Ref(self._places[place], (Text(one_line(self._document.sections[place].heading)),))
            # Enough to know it by.
            start = shorten(text, min(_LEAD, len(text) * 2 // 3))
            said = (Text(f"{start} ({self._labels['see_answer']} "), link, Text(")"))
        quote = one_line(finding.quote) if finding.quote else ""
        return Finding(
            anchor=self._findings[finding.id],
            inlines=said,
            # A finding that is itself the quote is not said twice.
            quote=quote if quote != text else None,
            source=self._quote_source(finding) if quote else (),
            confidence=score(finding.confidence),
            exhibits=self._exhibits.links(finding),
        )

    def _quote_source(self, finding: KeyFinding) -> Inlines:
        for id in finding.citations:
            for passage in self._citations[id].passages:
                if passage.quote == finding.quote:
                    return (*self._references.labels[(id,)], Text(f" {self._place(passage)}"))
        return ()

    def _place(self, passage: Passage) -> str:
        characters = f"{self._labels['characters']} {passage.start}–{passage.end}"
        return characters if passage.page is None else f"{self._labels['page']} {passage.page}, {characters}"

    def _reference(self, item: FormattedReference) -> Reference:
        passages = item.citation.passages
        more = len(passages) - MAX_PASSAGES
        hashes = dict.fromkeys(one_line(passage.sha256) for passage in passages if passage.sha256)
        return Reference(
            anchor=self._entries[item.citation.id],
            marker=item.marker,
            inlines=item.inlines,
            evidence=tuple(
                Evidence(one_line(passage.quote), self._place(passage)) for passage in passages[:MAX_PASSAGES]
            ),
            note=self._labels["more_passages"].format(count=more) if more > 0 else None,
            text_hash=", ".join(hashes) or None,
        )

    def _own_blocks(self) -> tuple[list[SectionBlock], list[SectionBlock]]:
        """The session type's own blocks: what stands before the references, and what after them."""
        before: list[SectionBlock] = []
        after: list[SectionBlock] = []
        facts: list[tuple[str, str]] = []
        cited = {id: self._references.labels[(id,)] for id in self._citations}
        known = ReaderBlocks(self._document, cited, self._labels, self._exhibits.named)
        for name, value in sorted(self._document.blocks.items(), key=lambda item: _place_of(item[0])):
            if name in SILENT or (name == "question" and isinstance(value, str)):
                continue  # The question heads the report.
            if (told := known.lay_out(name, value)) is not None:
                heading, content = told
                if content:
                    section = SectionBlock(self._anchors.of("section", name), heading, tuple(content))
                    (before if name in _FINDINGS_OF_THEIR_OWN else after).append(section)
                continue
            if is_scalar(value) and not isinstance(value, str):
                facts.append((words(name), cell(value, self._labels)))
            elif laid_out := blocks.lay_out(value, self._labels):
                section = SectionBlock(self._anchors.of("section", name), words(name), tuple(laid_out))
                (before if name in _FINDINGS_OF_THEIR_OWN else after).append(section)
        if facts:
            anchor = self._anchors.of("section", "details")
            after.append(SectionBlock(anchor, self._labels["details"], (Pairs(tuple(facts)),)))
        return before, after

    def _run(self) -> list[SectionBlock]:
        facts = run_facts(self._metadata, self._labels) if self._metadata is not None else ()
        return [SectionBlock(self._anchors.of("section", "run"), self._labels["run"], facts)] if facts else []


def _place_of(name: str) -> int:
    if name in _LAST:
        return len(_FIRST) + 1 + _LAST.index(name)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _weave(weaver: Weaver, section: Section) -> tuple[list[tuple[Segment, ...]], list[Claim]]:
    """The section's paragraphs, and the claims that none of them states."""
    waiting = {one_line(claim.text): claim for claim in reversed(section.claims)}
    woven: list[tuple[Segment, ...]] = []
    stated: set[str] = set()
    for line in paragraphs(section.body):
        segments = weaver.weave(line, waiting)
        woven.append(segments)
        for segment in segments:
            if segment.claim is not None:
                stated.add(segment.claim)
                waiting.pop(segment.text, None)
    return woven, [claim for claim in section.claims if claim.id not in stated]


def _is_superscript(label: Inlines) -> bool:
    first: Inline | None = label[0] if label else None
    while first is not None and not isinstance(first, Text):
        if getattr(first, "kind", None) == "super":
            return True
        first = first.children[0] if first.children else None
    return False
