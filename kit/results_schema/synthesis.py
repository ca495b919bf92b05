"""Blocks of syntheses: what several sessions state, and where each statement comes from."""

from __future__ import annotations

from kit.results_schema.words import (
    Schema,
    anything,
    by_name,
    count,
    flag,
    listed,
    members,
    nullable,
    number,
    of,
    text,
    texts,
)

_ORIGIN: dict[str, Schema] = {
    "finding_id": text("Id of its key finding, where it is one."),
    "claim_id": text("Id of its claim, otherwise."),
    "dataset": text("Dataset that it was computed from."),
}

DEFINITIONS: dict[str, Schema] = {
    "agreement_of_sessions": members(
        "How far sessions agree on a statement.",
        {},
        {
            "sessions": count("Sessions that state it by themselves."),
            "sources": count("Different works it rests on."),
            "independent": flag("Whether they state it from different sources."),
        },
    ),
    "provenance": members(
        "One session's wording of a statement, and one passage it rests on.",
        {"session_id": text("The session."), "text": text("Its wording.")},
        {
            **_ORIGIN,
            "citations": texts("Ids of the citations, in this result."),
            "support": anything("As of claims."),
            "citation": nullable(text("Id of the citation of the passage.")),
            "passage": nullable(of("passage", "The passage, with its `document_id`.")),
            "numbers": by_name({}, "The statistics it states."),
            "kind": text("Kind of the task that found it."),
            "table": nullable(text("Id of the table that shows it.")),
            "figure": nullable(text("Id of the figure that shows it.")),
            "origins": listed(
                members("A session that the session itself merged.", {"session_id": text("The session.")}, _ORIGIN),
                "Where a synthesis has it from.",
            ),
        },
    ),
    "bridge": members(
        "What connects findings that sessions made apart from each other.",
        {"id": text("Derived from its content."), "title": text("In words.")},
        {
            "kind": text("`term`, `source`, or `implicit`: A with B in one session, B with C in another."),
            "term": text("The term or work that connects."),
            "a": text("Of implicit links: one end."),
            "b": text("Of implicit links: the term between."),
            "c": text("Of implicit links: the other end."),
            "sessions": texts("Ids of the sessions connected."),
            "strength": number("How telling it is; only for comparison within a result."),
            "path": listed(
                members(
                    "A finding on the way.",
                    {"session_id": text("Its session."), "text": text("Its text.")},
                    {
                        "title": text("The session's title."),
                        "finding_id": text("Its id in that session."),
                        "term": text("The end of the link that it names."),
                        "citations": texts("Ids of the citations, in this result."),
                        "citation": nullable(text("Id of the citation of the passage.")),
                        "passage": nullable(of("passage", "The passage it rests on.")),
                    },
                ),
                "From one session to the next.",
            ),
        },
    ),
    "conflict": members(
        "Two statements of sessions that cannot both hold.",
        {"id": text("Derived from its content.")},
        {
            "title": text("In words."),
            "kind": text("How they differ."),
            "sides": listed({"$ref": "#/$defs/claim"}, "The two statements, each with its provenance."),
        },
    ),
    "theme": members(
        "Statements of a common subject.",
        {"id": text("Derived from its content."), "label": text("The subject.")},
        {"claims": texts("Ids of the claims.")},
    ),
    "merged_session": members(
        "A session that was merged.",
        {"session_id": text("Its id.")},
        {
            "title": text("Title of its result."),
            "question": text("Its prompt."),
            "kind": text("Its type."),
            "answered": flag("Whether it answered its prompt."),
            "partial": flag("Whether it was partial."),
            "findings": count("Findings it brought."),
            "findings_not_taken": count("Findings beyond the most that are taken."),
            "unverified_left_out": count("Statements left out as nothing backs them."),
            "confidence": number("Confidence of its result, 0 to 1."),
        },
    ),
}
"""Definitions by name."""

BLOCKS: dict[str, Schema] = {
    "bridges": listed({"$ref": "#/$defs/bridge"}, "What connects the sessions, strongest first."),
    "conflicts": listed({"$ref": "#/$defs/conflict"}, "Where sessions contradict each other."),
    "themes": listed({"$ref": "#/$defs/theme"}, "The subjects of the statements."),
}
"""Members of `results` by name."""
