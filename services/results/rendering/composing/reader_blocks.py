"""Blocks of the product's own engines in a reader's form.

What an engine keeps for programs (ids, offsets, weights, queries) stays in the JSON export. A block of a known name
whose shape is another engine's is not known here and keeps the generic form of :mod:`blocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from services.results.rendering.composing import analyses, blocks, computed, datasets, reproducing
from services.results.rendering.composing.exhibits import Exhibits
from services.results.rendering.composing.report import (
    Anchored,
    Block,
    Bullets,
    Column,
    Inline,
    Inlines,
    Pairs,
    Paragraph,
    Styled,
    TableBlock,
    Text,
)
from services.results.rendering.composing.screening import flow
from services.results.rendering.composing.values import cell, score
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line, paragraphs
from services.results.rendering.reading import JSON, InvalidResultDocument, Node

SILENT = frozenset({"answered", "summary_sentences"})
"""Blocks for programs alone."""

_ROLES = {"key": "key", "supporting": "key", "contradicting": "contradicting", "nearest": "nearest"}
_ENGINES = frozenset({"research", "synthesis"})

Parts = list[Anchored | Inline]


class ReaderBlocks:
    """The known blocks of one document.

    :param cited: label of each citation, by its id.
    :param exhibits: the tables and figures, which the tasks of an analysis show.
    """

    def __init__(
        self, document: ResultDocument, cited: Mapping[str, Inlines], labels: dict[str, str], exhibits: Exhibits
    ) -> None:
        self._document = document
        self._cited = cited
        self._labels = labels
        self._claims = {claim.id: one_line(claim.text) for claim in document.claims()}
        self._headings = {one_line(section.heading) for section in document.sections}
        self._told = [line for section in document.sections for line in paragraphs(section.body)]
        self._of_document = {item.document_id: item.id for item in reversed(document.citations)}
        self._quoted: set[tuple[str | None, str | tuple[int, int | None]]] = set()
        for item in document.citations:
            for passage in item.passages:
                self._quoted |= {(item.id, (passage.start, passage.end)), (item.id, one_line(passage.quote))}
        self._repeated = analyses.repeated(document)
        self._forms: dict[str, Callable[[Node], list[Block]]] = {
            "facets": self._facets,
            "gaps": self._gaps,
            "sources": self._sources,
            "agreements": self._agreements,
            "contradictions": self._contradictions,
            "conflicts": self._conflicts,
            "bridges": self._bridges,
            "themes": self._themes,
            "provenance": self._provenance,
            "screening": lambda root: flow(root.object("screening"), labels),
            "reproduction": lambda root: reproducing.section(root, labels),
            "datasets": lambda root: datasets.section(root, labels, datasets.profiled(document)),
            "methods": self._methods,
            "hypotheses": lambda root: analyses.hypotheses(root, labels),
            "analysis": lambda root: computed.section(root, exhibits, labels),
            "answer": self._answer,
        }

    def lay_out(self, name: str, value: JSON) -> tuple[str, list[Block]] | None:
        """Heading and content; no content where the sections say it all; None for a block that is not known."""
        if name in self._repeated:
            return "", []
        form = self._forms.get(name)
        if form is None or not value:
            return None
        try:
            content = form(Node({name: value}, ""))
            return (self._labels[f"block_{name}"] if content else ""), content
        except InvalidResultDocument:
            return None

    def _answer(self, root: Node) -> list[Block]:
        """An analysis's answer has a section of its own."""
        answer = Node(root.object("answer"), "answer")
        text = one_line(answer.text("text"))
        if not answer.text("status") or (text and not self._is_told(text)):
            raise InvalidResultDocument("answer", "is told in no section")
        return []

    def _facets(self, root: Node) -> list[Block]:
        # The first side is the question itself, which heads the report.
        asked = {one_line(self._document.title), one_line(str(self._document.blocks.get("question") or ""))}
        rows = []
        for item in root.nodes("facets"):
            label = one_line(item.text("label"))
            name = self._labels["block_whole_question"] if label in asked else label
            rows.append((name, self._word("status", item.text("status"))))
        return [Pairs(tuple(rows))]

    def _gaps(self, root: Node) -> list[Block]:
        texts = [one_line(item.text("text")) for item in root.nodes("gaps")]
        return _bullets([[Text(text)] for text in texts if not self._is_told(text)])

    def _sources(self, root: Node) -> list[Block]:
        rows: list[tuple[str | Inlines, ...]] = []
        items = root.nodes("sources")
        for item in items[: blocks.MAX_ROWS]:
            # Results of before a bibliography's works had rows of their own say no citation.
            citation = item.optional_text("citation") or self._of_document.get(item.text("document_id"))
            source = (Text(one_line(item.text("title"))), *self._label(citation))
            role = _ROLES.get(item.text("role"), "")
            told = item.object("gist")
            if not told:
                rows.append((source, self._word("role", role)))
                continue
            gist = Node(told, "gist")
            text, page = one_line(gist.text("text")), gist.integer("page")
            start = gist.integer("start")
            quoted = (citation, text if start is None else (start, gist.integer("end")))
            said = self._word("role", role if quoted in self._quoted else f"{role}_elsewhere")
            place = said if page is None else f"{self._labels['page']} {page}; {said}"
            rows.append((source, f"{text} ({place})"))
        more = len(items) - len(rows)
        columns = (Column(self._labels["block_source"], False), Column(self._labels["block_contributes"], False))
        note = self._labels["more_rows"].format(count=more) if more else None
        return [TableBlock("", "", self._labels["block_caption_sources"], columns, tuple(rows), note)]

    def _agreements(self, root: Node) -> list[Block]:
        lines: list[Parts] = []
        for item in root.nodes("agreements"):
            text = one_line(item.text("text"))
            parts: Parts = []
            for place, passage in enumerate(item.nodes("passages")):
                parts += [Text("; " if place else "")]
                parts += self._side(passage.text("quote"), passage.text("citation"), passage.integer("page"))
            same = any(one_line(passage.text("quote")) == text for passage in item.nodes("passages"))
            lines.append(parts if same else [Text(f"{text} "), *parts])
        return _bullets(lines)

    def _contradictions(self, root: Node) -> list[Block]:
        lines: list[Parts] = []
        for item in root.nodes("contradictions"):
            left, right = self._two(item, "passages")
            stated = [self._claims[id] for id in item.texts("claims") if id in self._claims]
            if self._is_told(left.text("quote"), right.text("quote")) or (len(stated) == 2 and self._is_told(*stated)):
                continue
            sides = [
                self._side(side.text("quote"), side.text("citation"), side.integer("page")) for side in (left, right)
            ]
            about = [Text(f" {self._labels['block_about_prompt']}")] if item.text("about") == "the prompt" else []
            lines.append([*self._against(*sides), *about])
        return _bullets(lines)

    def _conflicts(self, root: Node) -> list[Block]:
        lines: list[Parts] = []
        for item in root.nodes("conflicts"):
            left, right = self._two(item, "sides")
            if not self._is_told(left.text("text"), right.text("text")):
                lines.append(self._against(self._merged(left), self._merged(right)))
        return _bullets(lines)

    def _merged(self, side: Node) -> Parts:
        """A statement of sessions, and the passage it rests on where that has other words."""
        text = one_line(side.text("text"))
        parts: Parts = [Text(text)]
        seen: set[str] = set()
        for origin in side.nodes("provenance"):
            citation, passage = origin.optional_text("citation"), Node(origin.object("passage"), "passage")
            quote = one_line(passage.text("quote", default=""))
            if citation is None or f"{citation} {quote}" in seen:
                continue
            seen.add(f"{citation} {quote}")
            parts += [Text(f" “{quote}”")] if quote and quote != text else []
            parts += [*self._label(citation), *self._page(passage.integer("page"))]
        return parts if seen else [*parts, *(part for id in side.texts("citations") for part in self._label(id))]

    def _bridges(self, root: Node) -> list[Block]:
        result: list[Block] = []
        for item in root.nodes("bridges"):
            steps = item.nodes("path")
            title = one_line(item.text("title"))
            if self._is_told(*(step.text("text") for step in steps)):
                continue
            lead = [Text(f" {self._labels['block_lead']}")] if item.text("kind") == "implicit" else []
            result.append(Paragraph((Styled("strong", (Text(f"{title}."),)), *lead)))
            result += _bullets([self._step(step) for step in steps])
        return result

    def _provenance(self, root: Node) -> list[Block]:
        return _bullets([self._step(item) for item in root.nodes("provenance")])

    def _step(self, step: Node) -> Parts:
        title = one_line(step.text("title", default=""))
        passage = Node(step.object("passage"), "passage")
        lead = f"{title}: " if title else ""
        own = [*self._label(step.optional_text("citation")), *self._page(passage.integer("page"))]
        return [Text(lead + one_line(step.text("text"))), *own]

    def _themes(self, root: Node) -> list[Block]:
        """Names of the themes that have no section of their own, with as many of their statements as are known."""
        lines: list[Parts] = []
        for item in root.nodes("themes"):
            label = one_line(item.text("label"))
            told = " ".join(self._claims[id] for id in item.texts("claims") if id in self._claims)
            if f"Theme: {label}" not in self._headings:
                lines.append([Styled("strong", (Text(f"{label}."),)), *([Text(f" {told}")] if told else [])])
        return _bullets(lines)

    def _methods(self, root: Node) -> list[Block]:
        methods = Node(root.object("methods"), "methods")
        engine = methods.text("engine", default="")
        if engine not in _ENGINES:
            raise InvalidResultDocument("methods.engine", "is not one of the product's own")
        settings, model = (Node(methods.object(name), name) for name in ("settings", "model"))
        checked, failed = methods.integer("quotes_checked"), methods.integer("quotes_failed")
        quotes = None if checked is None else str(checked)
        if quotes and failed:
            quotes += f" ({failed} {self._labels['block_quotes_failed']})"
        sessions = len(methods.nodes("sessions"))
        rows = (
            ("engine", engine),
            ("block_depth", settings.text("depth", default="")),
            ("block_searches", self._count(methods.integer("searches"))),
            ("block_sessions", str(sessions) if sessions else ""),
            ("documents_read", self._count(methods.integer("documents_read"))),
            ("block_quotes_checked", quotes),
            ("confidence", self._confidence(engine, Node(methods.object("confidence"), "confidence"))),
            ("block_model", model.text("name", default="")),
        )
        return [Pairs(tuple((self._labels[key], one_line(value)) for key, value in rows if value))]

    def _count(self, number: int | None) -> str:
        return "" if number is None else cell(number, self._labels)

    def _confidence(self, engine: str, made: Node) -> str:
        value = score(self._document.confidence_score)
        if value is None:
            return ""
        parts = made.object("parts")
        if engine == "synthesis":
            meaning = "synthesis"
        elif "probability" in parts:
            meaning = "answer"
        elif "data" in parts:
            meaning = "both" if "documents" in parts else "data"
        else:
            meaning = "overview"
        return f"{value} – {self._labels[f'block_sure_{meaning}']}"

    def _two(self, item: Node, name: str) -> tuple[Node, Node]:
        sides = item.nodes(name)
        if len(sides) != 2:
            raise InvalidResultDocument(name, "must be two")
        return sides[0], sides[1]

    def _against(self, left: Parts, right: Parts) -> Parts:
        return [*left, Text(f". {self._labels['block_against']} "), *right, Text(".")]

    def _side(self, quote: str, citation: str, page: int | None) -> Parts:
        return [Text(f"“{one_line(quote)}”"), *self._label(citation), *self._page(page)]

    def _page(self, page: int | None) -> Parts:
        return [] if page is None else [Text(f", {self._labels['page']} {page}")]

    def _label(self, citation: str | None) -> Inlines:
        label = self._cited.get(citation or "", ())
        return (Text(" "), *label) if label else ()

    def _word(self, kind: str, value: str) -> str:
        word = self._labels.get(f"block_{kind}_{value}")
        if word is None:
            raise InvalidResultDocument(kind, f"{value!r} is not known")
        return word

    def _is_told(self, *texts: str) -> bool:
        """Whether one paragraph of the sections says all of these."""
        lines = [one_line(text) for text in texts]
        return any(all(line in told for line in lines) for told in self._told)


def _bullets(lines: Sequence[Parts]) -> list[Block]:
    return [Bullets(tuple(Paragraph(tuple(line)) for line in lines))] if lines else []
