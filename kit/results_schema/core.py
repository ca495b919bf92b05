"""What every session type has: sections with claims, findings, tables, figures, citations with their passages."""

from __future__ import annotations

from kit.results_schema.words import (
    Schema,
    anything,
    by_name,
    count,
    listed,
    members,
    nullable,
    number,
    of,
    text,
    texts,
    whole,
)

_CITATIONS = nullable(texts("Ids of the citations it rests on."))
_SUPPORT = anything(
    "What it rests on: `supported` by quotes, `contradicted` by another source, `computed` from data, `unverified`; or "
    "an engine's own measure."
)
_EVIDENCE = nullable(listed({"$ref": "#/$defs/evidence"}, "The passages it rests on, the most fitting first."))
_OF_SYNTHESIS: dict[str, Schema] = {
    "sessions": texts("Ids of the sessions that state it. Of syntheses."),
    "agreement": of("agreement_of_sessions", "How far the sessions agree. Of syntheses."),
    "contradicted_by": texts("Ids of the merged findings that contradict it. Of syntheses."),
    "provenance": listed({"$ref": "#/$defs/provenance"}, "Where each wording of it comes from. Of syntheses."),
}
_OF_DATA: dict[str, Schema] = {
    "dataset": text("Name of the dataset it was computed from."),
    "document_id": text("Document that holds the dataset."),
    "numbers": by_name({}, "The statistics it states, with every digit."),
    "kind": text("Kind of the task that found it, as in `analysis`."),
    "answers": {"description": "Whether it answers the question.", "type": "boolean"},
    "table": nullable(text("Id of the table that shows it.")),
    "figure": nullable(text("Id of the figure that shows it.")),
}

CORE: dict[str, Schema] = {
    "section": members(
        "A section of the report.",
        {"id": text("Unique among sections; `section:ID` as a reference point."), "heading": text("Its heading.")},
        {
            "body": nullable(text("Plain text; a blank line parts paragraphs. `[n]` is the n-th citation, from 1.")),
            "claims": nullable(listed({"$ref": "#/$defs/claim"}, "The statements of the text.")),
        },
    ),
    "claim": members(
        "A statement of a section, and what it rests on.",
        {
            "id": text("Unique among all claims; `claim:ID` as a reference point, and its anchor in every format."),
            "text": text("The statement, as it stands in the text."),
        },
        {"citations": _CITATIONS, "support": _SUPPORT, "evidence": _EVIDENCE, **_OF_SYNTHESIS, **_OF_DATA}
        | {"confidence": nullable(number("How sure it is, 0 to 1."))},
    ),
    "evidence": members(
        "A passage, by its place among those of a citation.",
        {"citation": text("Id of the citation."), "passage": count("Place in the citation's passages, from 0.")},
    ),
    "finding": members(
        "A key finding.",
        {"id": text("Unique among findings; `finding:ID` as a reference point."), "text": text("The finding.")},
        {
            "quote": nullable(text("The words it rests on, verbatim from a cited passage.")),
            "citations": _CITATIONS,
            "confidence": nullable(number("How sure it is, 0 to 1.")),
            "support": _SUPPORT,
            "evidence": _EVIDENCE,
            "relation": nullable(of("relation", "How it stands to the prompt.")),
            **_OF_DATA,
            **_OF_SYNTHESIS,
        },
    ),
    "relation": members(
        "How a statement stands to what the prompt says.",
        {"kind": text("`supports`, `contradicts` or `related`.")},
        {"certainty": number("0 to 1."), "reason": text("Why, in words.")},
    ),
    "table": members(
        "A table. Every row has as many cells as there are columns.",
        {"id": text("Unique among tables; `table:ID` as a reference point.")},
        {
            "title": nullable(text("Its caption.")),
            "columns": nullable(listed({"$ref": "#/$defs/column"}, "The columns, from left to right.")),
            "rows": nullable(
                listed({"type": "array", "items": {"$ref": "#/$defs/cell"}}, "The rows, from top to bottom.")
            ),
        },
    ),
    "column": {
        "description": "A column: its heading, or an object with its heading as `title`, else `name`.",
        "anyOf": [
            {"type": "string"},
            members("A column.", {}, {"title": nullable(text("Its heading.")), "name": nullable(text("Its name."))}),
        ],
    },
    "cell": {"description": "A value; null where there is none.", "type": ["string", "number", "boolean", "null"]},
    "figure": members(
        "A figure.",
        {"id": text("Unique among figures; `figure:ID` as a reference point.")},
        {
            "title": nullable(text("Its caption.")),
            "alt": nullable(text("What it shows, in words.")),
            "spec": nullable(
                {
                    "description": "A Vega-Lite specification; its data are inline and nothing is loaded.",
                    "type": "object",
                }
            ),
            "media_type": nullable(text("Media type of `spec`.")),
        },
    ),
    "citation": members(
        "A source, and the passages of it that are quoted.",
        {"id": text("Unique among citations; `citation:ID` as a reference point.")},
        {
            "document_id": nullable(text("The document in the library.")),
            "title": nullable(text("Its title.")),
            "authors": nullable(texts("Names, `Family, Given` where the parts are known.")),
            "year": nullable(whole("Year of publication.")),
            "doi": nullable(text("Without a resolver before it.")),
            "url": nullable(text("Its address.")),
            "passages": nullable(listed({"$ref": "#/$defs/passage"}, "What is quoted of it, in the text's order.")),
            "csl": nullable(of("csl", "Its CSL-JSON item.")),
        },
    ),
    "passage": members(
        "A quotation that stands in the stored text, verbatim: `text[start:end]`.",
        {"quote": text("The words.")},
        {
            "page": nullable(whole("Page, of sources with pages, from 1.")),
            "start": nullable(count("First code point, from 0.")),
            "end": nullable(count("Code point after the last.")),
            "sha256": nullable(text("SHA-256 of the stored text, in hex.")),
            "document_id": nullable(text("The document, where the passage does not stand with its citation.")),
        },
    ),
    "csl": members(
        "An item of the CSL-JSON data schema 1.0.2; fields that are not listed here may be there as well.",
        {},
        {
            "id": {"description": "Id of the citation.", "type": ["string", "number", "null"]},
            "type": nullable(text("CSL type, such as `article-journal`.")),
            "title": nullable(text("Title.")),
            "author": nullable(listed({"$ref": "#/$defs/csl_name"}, "Authors in order.")),
            "issued": members(
                "When it appeared.", {}, {"date-parts": anything("Year, month, day: `[[2020, 5, 31]]`.")}
            ),
            "container-title": anything("What it appeared in."),
            "DOI": anything("Digital object identifier."),
            "URL": anything("Address."),
        },
    ),
    "csl_name": members(
        "A name in its parts, or as it stands.",
        {},
        {
            "family": nullable(text("Family name.")),
            "given": nullable(text("Given names.")),
            "non-dropping-particle": nullable(text("Particle that is kept with the family name.")),
            "dropping-particle": nullable(text("Particle that is left out where the family name stands alone.")),
            "suffix": nullable(text("Such as Jr.")),
            "literal": nullable(text("The whole name, of organisations.")),
        },
    ),
}
"""Definitions by name."""
