from __future__ import annotations

import uuid

from services.library.resolving import DATASETS, DOCUMENTS, inline_id

SESSION = "0192f0aa-1111-7000-8000-000000000001"


def test_an_inline_input_has_the_same_id_whenever_it_is_prepared() -> None:
    assert inline_id(SESSION, DOCUMENTS, 0) == inline_id(SESSION, DOCUMENTS, 0)
    ids = [inline_id(SESSION, role, number) for role in (DOCUMENTS, DATASETS) for number in range(100)]
    assert len(set(ids)) == 200


def test_ids_are_uuids_of_the_sessions_time() -> None:
    for number in range(50):
        made = inline_id(SESSION, DOCUMENTS, number)
        assert str(uuid.UUID(made)) == made
        assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)
        assert made[:13] == SESSION[:13]
    assert uuid.UUID(inline_id("a session", DOCUMENTS, 0)).version == 7
