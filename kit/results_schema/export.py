"""The export as a whole: results, facts of the run, raw data."""

from __future__ import annotations

from kit.results_schema import ID, SCHEMA_VERSION, analysis, core, research, synthesis
from kit.results_schema.words import (
    Schema,
    anything,
    count,
    decimal,
    flag,
    listed,
    members,
    moment,
    nullable,
    number,
    of,
    text,
    texts,
)

_RUN: dict[str, Schema] = {
    "execution_metadata": members(
        "Facts of the run, which differ from run to run: times, money, use of resources.",
        {},
        {
            "session_id": text("The session."),
            "session_type": text("`research`, `analysis` or `synthesis`."),
            "prompt": text("What was asked."),
            "engine": text("The engine that ran."),
            "engine_version": text("Its version."),
            "attempts": count("How often it was begun or taken up again."),
            "created_at": nullable(moment("When the session was created.")),
            "started_at": nullable(moment("When it began to run.")),
            "finished_at": nullable(moment("When it ended.")),
            "execution_time": number("Running seconds."),
            "efficiency_score": number("0 to 1."),
            "resource_usage": {
                "description": "What was used, by name: seconds, megabytes, documents, tokens.",
                "type": "object",
                "additionalProperties": {"type": "number"},
            },
            "cost": members(
                "What it cost.",
                {"currency": text("Of all amounts.")},
                {
                    "held": decimal("Set aside at the start."),
                    "charged": decimal("What the work cost."),
                    "released": decimal("Given back."),
                },
            ),
            "stages": listed(
                members("A stage.", {"stage": text("Its name.")}, {"seconds": number("How long it ran.")}), "In order."
            ),
        },
    ),
    "raw_data": members(
        "What was gathered on the way.",
        {
            "passages": listed({"$ref": "#/$defs/raw_passage"}, "Every passage of every citation."),
            "screening": listed({"$ref": "#/$defs/exclusion"}, "Each document that was left out, with the reason."),
            "decisions": listed({"$ref": "#/$defs/decision"}, "What was decided on the way, in order."),
            "usage": listed({"$ref": "#/$defs/charge"}, "What the work used and cost, item by item."),
        },
    ),
    "raw_passage": members(
        "A passage with its source.",
        {"quote": text("The words, verbatim.")},
        {
            "citation": nullable(text("Id of the citation.")),
            "document_id": nullable(text("The document.")),
            **{name: core.CORE["passage"]["properties"][name] for name in ("page", "start", "end", "sha256")},
        },
    ),
    "decision": members(
        "A decision, and why it was made.",
        {"decision": text("What was decided."), "reason": text("Why.")},
        {
            "seq": count("Its place in the session's history."),
            "at": moment("When."),
            "stage": text("In which stage."),
            "alternatives": texts("What else could have been."),
            "excluded": listed({"type": "object"}, "What was left out by it."),
        },
    ),
    "charge": members(
        "A use of something that has a price.",
        {"item": text("What was used.")},
        {
            "stage": text("In which stage."),
            "quantity": number("How much of it."),
            "unit": text("Of what."),
            "unit_price": decimal("Price of one unit."),
            "amount": decimal("What it cost."),
        },
    ),
}


def export() -> Schema:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": f"Results of a session, {SCHEMA_VERSION}",
        **members(
            "What `GET /api/v1/sessions/{session_id}/export?format=json` gives. Every object may have members beside "
            "those described here.",
            {
                "session_id": text("The session."),
                "results": of("results", "The report itself."),
                "summary": text("The findings in a few sentences; a blank line parts paragraphs."),
                "citations": listed({"$ref": "#/$defs/citation"}, "Sources, in order of first use."),
                "confidence_score": number("How sure the result is, 0 to 1."),
            },
            {
                "$schema": text("Where this schema is, relative to where the export came from."),
                "schema_version": {
                    "description": "Of the export; 1.x stays readable for readers of 1.0.",
                    "type": "string",
                    "pattern": r"^1\.\d+$",
                },
                "execution_metadata": of("execution_metadata", "Facts of the run; absent where they are not wanted."),
                "raw_data": of("raw_data", "Only where it is asked for."),
            },
        ),
        "$defs": {"results": _results(), **core.CORE, **_blocks(), **_RUN},
    }


def _results() -> Schema:
    return members(
        "The report. The session types add blocks of their own; a name that is described here keeps to its shape.",
        {
            "title": text("Its title."),
            "partial": flag("Whether something was left out for want of money or time."),
            "sections": listed({"$ref": "#/$defs/section"}, "The text."),
            "key_findings": listed({"$ref": "#/$defs/finding"}, "What matters most, first things first."),
            "tables": listed(
                {"$ref": "#/$defs/table"},
                "Tables, made for readers: those of an analysis have six digits and say where they are an excerpt; its "
                "`analysis` has all.",
            ),
            "figures": listed({"$ref": "#/$defs/figure"}, "Figures, with their data."),
        },
        {name: _or_null(block) for part in (research, analysis, synthesis) for name, block in part.BLOCKS.items()},
    )


def _blocks() -> dict[str, Schema]:
    return {name: made for part in (research, analysis, synthesis) for name, made in part.DEFINITIONS.items()}


def _or_null(block: Schema) -> Schema:
    return nullable(block) if "type" in block or "$ref" in block else anything(block["description"])
