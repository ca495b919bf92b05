"""What Schemathesis has to be told beside its configuration."""

from __future__ import annotations

import os
from typing import Any

import schemathesis

from tests.fuzz.fuzzing import EDGE


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """The description has the lines as one text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schemathesis.hook
def filter_case(ctx: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out what Envoy answers otherwise, and why.

    QUERY: `unusual-http` of tests/edges/differences.yaml.
    """
    return not (os.environ.get(EDGE) == "envoy" and case.method == "QUERY")
