"""The published JSON Schema of results as a file.

python -m tools.results_schema write FILE    # the schema as it is served
python -m tools.results_schema check FILE... # whether exports are valid; what is wrong, otherwise
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from kit.results_schema import schema, written


def problems(exports: Sequence[Path]) -> list[str]:
    """What is wrong with exports, a line each. Raises ModuleNotFoundError without jsonschema."""
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())
    return [
        f"{path}: {error.json_path}: {error.message[:200]}"
        for path in exports
        for error in validator.iter_errors(json.loads(path.read_bytes()))
    ]


def main() -> int:
    match sys.argv[1:]:
        case ["write", target]:
            Path(target).write_bytes(written())
            return 0
        case ["check", *exports] if exports:
            try:
                found = problems([Path(name) for name in exports])
            except ModuleNotFoundError as error:
                print(f"check needs the package {error.name}, which `make dev` installs", file=sys.stderr)
                return 2
            print("\n".join(found) or f"{len(exports)} valid")
            return 1 if found else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
