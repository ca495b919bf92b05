"""The published JSON Schema of exported results, draft 2020-12: the one source of what is served, kept in the
documentation, and put beside raw data.

Members that are described keep to their types; members that are not described may be added by any engine to every
object, so that a result of a new kind is valid too.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

SCHEMA_VERSION: Final = "1.1"
"""Of the exports. The first number changes when a reader of the old form would misread the new one, the second when
members are added."""

PATH: Final = "/api/v1/schemas/results-1.json"
"""Where the edges serve it, to anybody."""

ID: Final = "urn:prsm:schema:results:1"


def schema() -> dict[str, Any]:
    """The schema, made anew for each caller."""
    # What describes the blocks is needed by whoever asks for the schema, not by whoever asks for its version.
    from kit.results_schema.export import export

    return export()


@cache
def written() -> bytes:
    """The schema as it is served: indented UTF-8, the same bytes every time."""
    return (json.dumps(schema(), ensure_ascii=False, indent=2) + "\n").encode()
