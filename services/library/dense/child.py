"""The process that encodes passages: `python -m services.library.dense.child PARENT FOLDER|-`.

A request is a JSON list of texts, an answer their codes, row by row as bytes; both stand behind their length in four
bytes. It runs at the lowest priority and on one processor, for passages can wait and the service cannot.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import BinaryIO

LENGTH = struct.Struct(">I")


def main(arguments: list[str]) -> None:
    parent, folder = int(arguments[0]), arguments[1]
    from kit.offspring import die_with_parent

    die_with_parent(parent)
    from services.library.dense.encoder import opened
    from services.library.index.codes import coded

    encoder = opened(None if folder == "-" else Path(folder))
    os.nice(19)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while request := _frame(source):
        answer = coded(encoder.encode(json.loads(request))).tobytes()
        target.write(LENGTH.pack(len(answer)) + answer)
        target.flush()


def _frame(source: BinaryIO) -> bytes:
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


if __name__ == "__main__":
    main(sys.argv[1:])
