"""Blocks of research sessions."""

from __future__ import annotations

from kit.results_schema.words import (
    Schema,
    count,
    flag,
    listed,
    members,
    nullable,
    number,
    of,
    text,
    texts,
    whole,
)

_PLACE: dict[str, Schema] = {
    "start": count("First code point, from 0."),
    "end": count("Code point after the last."),
    "page": nullable(whole("Page, from 1.")),
}

DEFINITIONS: dict[str, Schema] = {
    "quoted_passage": members(
        "A passage with its source.",
        {"quote": text("The words.")},
        {"document_id": text("The document."), "citation": nullable(text("Id of the citation.")), **_PLACE},
    ),
    "facet": members(
        "A side of the prompt.",
        {"id": text("Derived from its content."), "label": text("What it asks, in words.")},
        {
            "kind": text("`prompt` for the whole, or which part of it: `question`, `topic`, `outcome`, …"),
            "status": text("`answered` by two documents or more, `single_source`, or `open`."),
            "documents": count("How many documents speak to it."),
            "claims": texts("Ids of the claims that do."),
        },
    ),
    "gap": members(
        "What was asked for and is missing or thin.",
        {
            "kind": text("`missing_terms`, `open_facet`, `few_sources` or `old_sources`."),
            "text": text("The same in a sentence."),
        },
        {
            "terms": texts("The words that are missing."),
            "facet": text("Id of the facet."),
            "documents": texts("Ids of the documents."),
            "newest": whole("Year of the newest source that is quoted."),
            "latest": whole("Year of the newest that was found."),
        },
    ),
    "agreement": members(
        "A claim that two documents or more state in nearly the same words.",
        {"claim": text("Its id."), "text": text("The claim.")},
        {
            "documents": count("How many state it."),
            "passages": listed({"$ref": "#/$defs/quoted_passage"}, "Where they do."),
        },
    ),
    "contradiction": members(
        "Two claims of different documents that cannot both hold.",
        {"claims": texts("Their ids.")},
        {
            "about": text("`each other`, or `the prompt` when one supports what it says and one contradicts it."),
            "passages": listed({"$ref": "#/$defs/quoted_passage"}, "Where they stand."),
        },
    ),
    "source": members(
        "A work that is quoted: a document, or one of the works that a bibliography lists.",
        {"document_id": text("The document."), "title": text("The title of the work.")},
        {
            "citation": text("Its citation."),
            "role": text("`key`, `supporting`, `contradicting`, or `nearest` when nothing answers."),
            "gist": nullable(
                members("The sentence that says best what it contributes.", {"text": text("The sentence.")}, _PLACE)
            ),
        },
    ),
    "screening": members(
        "The flow of documents, with every count of a PRISMA 2020 diagram.",
        {},
        {
            "identified": count("All that were found or given."),
            "identified_by": {
                "description": "The same by source: `given`, `library`, or a connector.",
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 0},
            },
            "duplicates_removed": count("Left out as copies of another."),
            "not_listed": count("By how much an overview of a large library lists fewer."),
            "screened": count("identified − duplicates_removed − not_listed."),
            "excluded_at_screening": count("Left out by what search says of them."),
            "sought": count("screened − excluded_at_screening."),
            "not_retrieved": count("Held no text, or could not be read."),
            "assessed": count("sought − not_retrieved."),
            "excluded_after_reading": count("Left out after they were read."),
            "included": count("assessed − excluded_after_reading."),
            "reasons": listed(
                members(
                    "How many were left out at a stage for a reason.",
                    {"stage": text("`identification`, `screening`, `retrieval` or `reading`."), "reason": text("Why.")},
                    {"documents": count("How many.")},
                ),
                "The reasons, counted.",
            ),
            "excluded": nullable(listed({"$ref": "#/$defs/exclusion"}, "Each document that was left out.")),
        },
    ),
    "exclusion": members(
        "A document that was left out.",
        {"document_id": text("The document."), "reason": text("Why.")},
        {
            "title": text("Its title."),
            "stage": text("`identification`, `screening`, `retrieval` or `reading`."),
            "decision": text("`excluded`, where included documents are listed as well."),
        },
    ),
    "confidence_method": members(
        "How a confidence was computed.",
        {},
        {
            "formula": text("The formula, over the names in `parts`."),
            "parts": {
                "description": "Its terms by name.",
                "type": "object",
                "additionalProperties": {"type": "number"},
            },
            "intercept": number("Of the logistic model behind the probability."),
            "weights": {"description": "Of the same, by term.", "type": "object"},
            "answered_from": number("From which probability on the prompt counts as answered."),
        },
    ),
    "methods": members(
        "How the result was made.",
        {},
        {
            "engine": text("The engine's name."),
            "kind": text("What kind of text it is, in words."),
            "settings": {"description": "What was asked for.", "type": "object"},
            "facets": listed({"type": "object"}, "What was searched for: `kind`, `label`, `query`."),
            "terms": listed({"type": "object"}, "Words of the prompt with their weights: `term`, `weight`."),
            "searches": count("Searches made."),
            "documents_read": count("Documents read."),
            "quotes_checked": count("Quotes looked up again in their sources."),
            "quotes_failed": count("Those that did not stand at their offsets, and were left out."),
            "missing_terms": texts("Words of the prompt that no source holds."),
            "markers": text("What `[n]` means in texts."),
            "confidence": {
                "description": "How the confidence was computed, or that in words.",
                "anyOf": [{"type": "string"}, {"$ref": "#/$defs/confidence_method"}],
            },
            "model": members(
                "The language model that wrote prose, where one did.",
                {"name": text("Its name.")},
                {
                    "sentences_kept": count("Sentences that are backed by the quotes they cite."),
                    "sentences_dropped": count("Sentences that are not, and were dropped."),
                },
            ),
            "versions": {"description": "Versions of what computed, by name.", "type": "object"},
            "seed": whole("Seed of everything that is drawn at random."),
            "intervals": text("Of which level intervals are. Of analyses."),
            "arithmetic": text("In which arithmetic sums and models are computed. Of analyses."),
            "confidence_formula": text("How the confidence of findings is computed. Of analyses."),
            "sessions": listed({"$ref": "#/$defs/merged_session"}, "The sessions that were merged. Of syntheses."),
            "not_read": texts("Ids of sessions that could not be read. Of syntheses."),
        },
    ),
}
"""Definitions by name."""

BLOCKS: dict[str, Schema] = {
    "question": text("The prompt, on one line."),
    "answered": flag("Whether the prompt is answered."),
    "facets": listed({"$ref": "#/$defs/facet"}, "Each side of the prompt, and what speaks to it."),
    "gaps": listed({"$ref": "#/$defs/gap"}, "What is missing or thin."),
    "agreements": listed({"$ref": "#/$defs/agreement"}, "What several documents state."),
    "contradictions": listed({"$ref": "#/$defs/contradiction"}, "What contradicts each other."),
    "sources": listed({"$ref": "#/$defs/source"}, "The documents quoted, in order of first use."),
    "screening": of("screening", "What was found, left out and used."),
    "methods": of("methods", "How the result was made."),
}
"""Members of `results` by name."""
