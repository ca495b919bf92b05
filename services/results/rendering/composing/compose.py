"""From a result document to a report: numbers, labels, citations and the order of things are settled here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.results.rendering.citing.references import FormattedReference, format_references
from services.results.rendering.composing import analyses
from services.results.rendering.composing.anchors import Anchors
from services.results.rendering.composing.computed import crossings, exhibit_order
from services.results.rendering.composing.exhibits import Exhibits, begin
from services.results.rendering.composing.headings import headed
from services.results.rendering.composing.label_forms import is_raised, on_the_line
from services.results.rendering.composing.labels import labels
from services.results.rendering.composing.metadata import ExecutionMetadata, run_facts
from services.results.rendering.composing.notes import Notes
from services.results.rendering.composing.own_blocks import own_blocks
from services.results.rendering.composing.reader_blocks import ReaderBlocks
from services.results.rendering.composing.repetition import KeyStatements, tag, told_first, told_in
from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    Evidence,
    Finding,
    Inline,
    Inlines,
    Paragraph,
    Ref,
    Reference,
    Report,
    SectionBlock,
    Text,
)
from services.results.rendering.composing.values import day, score, words
from services.results.rendering.composing.weaving import Segment, Weaver, group
from services.results.rendering.document import Claim, KeyFinding, Passage, ResultDocument, Section
from services.results.rendering.plain_text import one_line, paragraphs

_MOST_NAMED = 5
"""Sources named after one statement; the rest is counted, and all of them stand among the references."""

MAX_PASSAGES = 50
"""Passages shown for one source; the rest is counted in a note."""

_CLOSING = frozenset({"How this was made", "Limits", "Methods"})
"""Headings of the engines' last sections, which follow the figures and tables."""
_HOW_IT_WAS_MADE = "How this was made"
_POINTING = "Main findings"
"""A research section that gathers key findings: where it only points at them, it says nothing."""


def compose(
    document: ResultDocument,
    metadata: ExecutionMetadata | None,
    *,
    citation_style: str,
    language: str,
    csl: str | None = None,
) -> Report:
    """Lay the document out as a report.

    :param language: BCP 47 tag of the fixed words, the hyphenation and the citations' terms.
    :param csl: the source of the citation style; without it `citation_style` is one that comes with the product.
    :raises UnknownCitationStyle: the style is not known.
    :raises InvalidStyle: `csl` is no style.
    """
    return _Composer(document, metadata, citation_style, language, csl).report()


class _Composer:
    def __init__(
        self, document: ResultDocument, metadata: ExecutionMetadata | None, style: str, language: str, csl: str | None
    ) -> None:
        begin(document)
        self._document = document
        self._metadata = metadata
        self._labels = labels(language)
        self._language = language
        self._anchors = Anchors()
        self._entries = {item.id: self._anchors.of("ref", item.id) for item in document.citations}
        self._citations = {item.id: item for item in document.citations}
        self._findings = {item.id: self._anchors.of("finding", item.id) for item in document.key_findings}
        self._number = {item.id: number for number, item in enumerate(document.key_findings, start=1)}
        self._stated = KeyStatements(document.key_findings)
        self._answer = analyses.answer(document)
        self._places = [self._anchors.of("section", item.id) for item in document.sections]
        self._facts: tuple[Block, ...] = ()
        self._left: dict[str, list[str]] = {}
        # What is cited where has to be known before anything is written: numeric styles count in the text's order.
        weaver = Weaver(document)
        self._summary = [weaver.weave(line, {}) for line in paragraphs(document.summary)]
        woven = [_weave(weaver, section) for section in document.sections]
        lines, self._told = told_first([lines for lines, _ in woven], self._stated)
        self._woven = [(own, rest) for own, (_, rest) in zip(lines, woven, strict=True)]
        self._references = format_references(
            document.citations, self._cited(), self._entries, style=style, language=language, csl=csl
        )
        # After the citations, beside which they are drawn.
        self._exhibits = Exhibits(
            document, self._anchors, self._labels, exhibit_order(document), crossings(document), language
        )
        self._claims = {claim.id: claim for claim in document.claims()}
        self._notes = Notes(
            document,
            self._labels,
            anchor=lambda number: self._anchors.of("note", str(number)),
            source=lambda id: on_the_line(self._references.labels[(id,)]),
            place=self._place,
            raised=any(map(is_raised, self._references.labels.values())),
        )

    def report(self) -> Report:
        document, metadata = self._document, self._metadata or {}
        kind, session_id = metadata.get("session_type"), metadata.get("session_id")
        title = one_line(document.title) or self._labels["report"]
        question = self._question()
        known = ReaderBlocks(self._document, self._on_the_line(), self._labels, self._exhibits)
        own = own_blocks(document, known, self._anchors, self._labels, methods_told=self._says_how())
        self._facts = own.methods
        exhibits = self._exhibits.section()
        own = own.numbered(self._exhibits.tables, self._anchors, self._labels)
        told = [index for index in range(len(document.sections)) if not self._only_points(index)]
        opening = len(told)
        while opening and one_line(document.sections[told[opening - 1]].heading) in _CLOSING:
            opening -= 1
        self._left = self._moved()
        # Notes are numbered as they are met: findings, then sections; what they leave is the references'.
        findings = tuple(self._finding(item) for item in document.key_findings)
        sections = {index: self._section(index) for index in told}
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
            findings=findings,
            sections=(
                *(sections[index] for index in told[:opening]),
                *own.computed,
                *([exhibits] if exhibits else []),
                *own.found,
                *(sections[index] for index in told[opening:]),
            ),
            references=tuple(self._reference(item) for item in self._references.entries),
            appendix=(*own.rest, *self._run()),
            notes=self._notes.all(),
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
        return [cited[:_MOST_NAMED] for cited in groups]

    def _section(self, index: int) -> SectionBlock:
        section, (woven, rest) = self._document.sections[index], self._woven[index]
        anchor = self._places[index]
        body: list[Block] = []
        repeated: list[Segment] = []
        elsewhere: list[int] = []
        for segments in woven:
            if (earlier := told_in(segments, self._told, index)) is not None:
                elsewhere.append(earlier)
                continue
            kept, again = self._stated.part(segments)
            if kept:
                body.extend(self._pointer(repeated))
                repeated = []
                body.append(self._paragraph(kept))
            repeated.extend(again)
        claims = [Segment(one_line(claim.text), claim.id, group(claim.citations)) for claim in rest]
        repeated.extend(claim for claim in claims if self._stated.same(claim))
        body.extend(self._pointer(repeated))
        body.extend(self._see(elsewhere))
        if own := [self._paragraph((claim,)) for claim in claims if not self._stated.same(claim)]:
            body.append(Bullets(tuple(own)))
        heading = one_line(section.heading)
        body.extend(Paragraph((Text(line),)) for line in analyses.more_of(heading, self._document))
        if heading == _HOW_IT_WAS_MADE:
            body.extend(self._facts)
        content = tuple(analyses.listed(body, heading))
        return SectionBlock(anchor, headed(heading, self._language) or words(section.id), content)

    def _only_points(self, index: int) -> bool:
        """Whether nothing of the section is left beside the key findings, so that it would say nothing. Then its
        anchors stand at the findings."""
        woven, rest = self._woven[index]
        gathers = one_line(self._document.sections[index].heading) == _POINTING or self._groups_findings()
        if not gathers or not woven or (self._answer and self._answer[1] == index):
            return False
        parts = [self._stated.part(segments) for segments in woven]
        # A lead that ends in a colon announces what then stands elsewhere.
        kept = [segments for segments, _ in parts if segments and not segments[-1].text.rstrip().endswith(":")]
        return any(again for _, again in parts) and not kept and not rest

    def _groups_findings(self) -> bool:
        """Whether its sections only group what is found, so that one without words of its own says nothing. Those of a
        synthesis say by their headings which sessions state it."""
        methods = self._document.blocks.get("methods")
        research = isinstance(methods, Mapping) and methods.get("engine") == "research"
        return research or analyses.is_analysis(self._document)

    def _moved(self) -> dict[str, list[str]]:
        """Anchors of left out sections and their claims, by the finding that says it."""
        moved: dict[str, list[str]] = {}
        for index, place in enumerate(self._places):
            if not self._only_points(index):
                continue
            anchors = [place]
            for segment in (segment for segments in self._woven[index][0] for segment in segments):
                finding = self._stated.same(segment)
                if finding is not None and segment.claim is not None:
                    anchors.append(self._anchors.of("claim", segment.claim))
                if finding is not None:
                    moved.setdefault(finding.id, []).extend(anchors)
                    anchors = []
        return moved

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

    def _see(self, places: Sequence[int]) -> list[Paragraph]:
        """Where to read the statements that earlier sections make."""
        parts: list[Anchored | Inline] = []
        for place in dict.fromkeys(places):
            heading = headed(one_line(self._document.sections[place].heading), self._language)
            parts += [Text("; " if parts else f"{self._labels['see_section']} ")]
            parts.append(Ref(self._places[place], (Text(heading),)))
        return [Paragraph((*parts, Text(".")))] if parts else []

    def _paragraph(self, segments: tuple[Segment, ...]) -> Paragraph:
        parts: list[Anchored | Inline] = []
        for segment in segments:
            text = tag(segment.text)
            own = analyses.spans(text) if "analysis" in self._document.blocks else (Text(text),)
            inlines = (*own, *self._label(segment.citations))
            if segment.claim is None:
                parts.extend(inlines)
            else:
                marks = self._notes.marks(self._claims[segment.claim])
                parts.append(Anchored(self._anchors.of("claim", segment.claim), (*inlines, *marks)))
        return Paragraph(tuple(parts))

    def _label(self, citations: tuple[str, ...]) -> Inlines:
        """The citations' label with the space before it; none before a superscript. Of many, the first are named, which
        are the strongest, and the rest is counted."""
        label = self._references.labels.get(citations[:_MOST_NAMED], ())
        if not label:
            return ()
        more = max(0, len(citations) - _MOST_NAMED)
        counted = self._labels["more_cited"].format(count=more)
        if is_raised(label):
            return (*label, Text(f" ({counted})")) if more else label
        return (Text(" "), *label, Text(f" {counted}")) if more else (Text(" "), *label)

    def _finding(self, finding: KeyFinding) -> Finding:
        text = one_line(finding.text)
        said: Inlines = (Text(text), *self._label(group(finding.citations)))
        left = (Anchored(anchor, ()) for anchor in self._left.get(finding.id, ()))
        marked = (*said, *self._notes.marks(finding), *left)
        quote = one_line(finding.quote) if finding.quote and not self._notes.holds_quote(finding) else ""
        return Finding(
            anchor=self._findings[finding.id],
            inlines=marked,
            # Neither a finding that is itself the quote is said twice, nor a quote that a note shows.
            quote=quote if quote and quote != text else None,
            source=self._quote_source(finding) if quote else (),
            confidence=score(finding.confidence),
            exhibits=self._shown_in(finding),
        )

    def _shown_in(self, finding: KeyFinding) -> Inlines:
        """The figure and table of a finding, and its data where those of others are not the same."""
        links = self._exhibits.links(finding)
        data = one_line(finding.dataset or "")
        if not data or len({item.dataset for item in self._document.key_findings}) == 1:
            return links
        return (*links, Text(f"{', ' if links else ''}{data}"))

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
        # What a note shows is not shown again.
        rest = [index for index in range(len(passages)) if not self._notes.holds(item.citation.id, index)]
        shown = [passages[index] for index in rest if index < MAX_PASSAGES]
        more = len(rest) - len(shown)
        hashes = dict.fromkeys(one_line(passage.sha256) for passage in passages if passage.sha256)
        return Reference(
            anchor=self._entries[item.citation.id],
            marker=item.marker,
            inlines=item.inlines,
            evidence=tuple(Evidence(one_line(passage.quote), self._place(passage)) for passage in shown),
            note=self._labels["more_passages"].format(count=more) if more > 0 else None,
            text_hash=", ".join(hashes) or None,
        )

    def _on_the_line(self) -> dict[str, Inlines]:
        """Labels of the citations for places where there is no word for a number to be raised at."""
        return {id: on_the_line(self._references.labels[(id,)]) for id in self._citations}

    def _says_how(self) -> bool:
        """Whether a section says how it was made, so that the figures of it belong there."""
        return any(one_line(section.heading) == _HOW_IT_WAS_MADE for section in self._document.sections)

    def _run(self) -> list[SectionBlock]:
        facts = run_facts(self._metadata, self._labels) if self._metadata is not None else ()
        return [SectionBlock(self._anchors.of("section", "run"), self._labels["run"], facts)] if facts else []


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
