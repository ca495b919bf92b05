"""A process that reads one document on its standard input and ends: `python -m services.results.large.child`. It writes
the document's index, or with `--canonical` the document as the serialiser would write it. The only process that ever
holds a large document, and then only one that no engine of this platform wrote.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys

import orjson

from kit.offspring import die_with_parent
from services.results.large.index import dump_index
from services.results.large.scanner import NotCanonical, scan

NOT_CANONICAL, NOT_JSON, TOO_LARGE = 3, 4, 5
"""Exit statuses."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=int, required=True, help="bytes of data this process may hold")
    options.add_argument("--canonical", action="store_true", help="write the document, not its index")
    arguments = options.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (arguments.memory, arguments.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    die_with_parent(os.getppid())
    try:
        if arguments.canonical:
            written = orjson.dumps(orjson.loads(sys.stdin.buffer.read()), option=orjson.OPT_SORT_KEYS)
        else:
            written = dump_index(scan(sys.stdin.buffer.read))
    except NotCanonical:
        return NOT_CANONICAL
    except orjson.JSONDecodeError:
        return NOT_JSON
    except MemoryError:
        return TOO_LARGE
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
