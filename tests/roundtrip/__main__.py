"""`python -m tests.roundtrip`: random result documents in all scripts, written in all formats and read again.

    python -m tests.roundtrip [--examples 500] [--seed 1]

Ends with 1 when a statement, quote, source or number of a document was not found in the text of a finished file, or
when a PDF or Word document is not built as it should be.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.roundtrip.comparing import items, lost
from tests.roundtrip.documents import documents
from tests.roundtrip.rendering import read, unsound, written

STYLES = ("apa", "chicago", "harvard", "ieee", "nature", "vancouver")
LANGUAGES = ("en", "de", "fr", "es")


def main() -> int:
    """0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.roundtrip", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same documents")
    given_options = parser.parse_args()
    chosen = given_options.seed if given_options.seed is not None else secrets.randbelow(2**31)
    looked: Counter[str] = Counter()
    faults: list[str] = []

    @seed(chosen)
    @settings(
        max_examples=given_options.examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents(), st.sampled_from(STYLES), st.sampled_from(LANGUAGES))
    def look(source: dict[str, Any], style: str, language: str) -> None:
        looked.update(item.kind for item in items(source))
        looked["documents"] += 1
        files = written(source, None, style=style, language=language)
        missing = [f"{name}: {item.kind} {item.text!r}" for name, item in lost(source, read(files))]
        for fault in (*missing, *unsound(files)):
            faults.append(f"{fault} ({style}, {language})")
            print(f"  {faults[-1]}", flush=True)

    look()
    print(f"seed {chosen}: " + ", ".join(f"{kind} {number:,}" for kind, number in sorted(looked.items())))
    print(f"not found or unsound: {len(faults)}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
