"""The parser process: reads one file after another from its standard input, under hard limits.

It holds no secrets (its environment is empty but for paths), may open next to no files and write none,
dies with its parent, and is killed by it when it takes too long.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

import orjson

from kit.offspring import die_with_parent
from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParsedDocument, ParseLimits
from services.library.parsing.frames import ANSWER, REQUEST
from services.library.parsing.parse import parse

_OPEN_FILES = 32


def main(parser: Callable[[bytes, str, str, ParseLimits], ParsedDocument] = parse) -> None:
    """Serve until the input ends. `argv` is: limits as JSON, the parent's process id."""
    limits = ParseLimits(**orjson.loads(sys.argv[1]))
    _confine(limits, int(sys.argv[2]))
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # A library that prints must not write into the answers.
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    while (head := requests.read(REQUEST.size)) and len(head) == REQUEST.size:
        header_length, body_length = REQUEST.unpack(head)
        header = orjson.loads(requests.read(header_length))
        answer = _answer(parser, requests.read(body_length), header, limits)
        _send(answers, answer)


def _confine(limits: ParseLimits, parent: int) -> None:
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent ends us, after its own work in hand
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))


def _answer(
    parser: Callable[[bytes, str, str, ParseLimits], ParsedDocument],
    body: bytes,
    header: dict[str, str],
    limits: ParseLimits,
) -> dict[str, Any]:
    try:
        document = parser(body, header["filename"], header["content_type"], limits)
    except DocumentUnreadable as error:
        return {"cause": error.cause, "detail": error.detail}
    except MemoryError:
        return {"cause": UnreadableCause.MEMORY_LIMIT, "detail": ""}
    except Exception as error:
        # What a parser throws at a broken file is beyond listing; the file is named unreadable, the
        # type goes to the log of the parent, and nothing of the message leaves the process.
        return {"cause": UnreadableCause.PARSER_FAILED, "detail": "", "raised": type(error).__name__}
    return {"document": document.to_wire()}


def _send(answers: IO[bytes], answer: dict[str, Any]) -> None:
    body = orjson.dumps(answer)
    answers.write(ANSWER.pack(len(body)))
    answers.write(body)
    answers.flush()


if __name__ == "__main__":
    main()
