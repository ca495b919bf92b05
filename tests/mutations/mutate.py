"""Broken and hostile files made from good ones: bytes changed, cut, spliced, repeated, and a little by structure."""

from __future__ import annotations

import io
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence

from tests.mutations.seeds import Seed

_MOST_BYTES = 4 * 1024 * 1024
_NUMBER = re.compile(rb"\d+")
_EXTREMES = (b"0", b"-1", b"1", b"255", b"65536", b"2147483647", b"4294967296", b"99999999999999999999", b"1e308", b"")
_OPENERS = (
    b"[",
    b"{",
    b"(",
    b"<",
    b"<<",
    b"<div>",
    b"<sec>",
    b"<table><tr><td>",
    b"$",
    b'"',
    b"\\{",
    b"@a{x,t={",
    b"TY  - JOUR\n",
)
_BYTES = (0x00, 0xFF, 0x7F, 0x80, 0x0A, 0x22, 0x25, 0x3C)
_STRUCTURES = re.compile(
    rb"<[^<>]{1,60}>|\b\d+ \d+ obj\b|\bendobj\b|/[A-Z][A-Za-z]{2,}|[{}\[\]()]|@\w+|^[A-Z][A-Z0-9]  - ", re.MULTILINE
)


def mutated(seed: Seed, others: Sequence[Seed], chance: random.Random) -> Seed:
    """`seed` with one to four changes; now and then under the name of another kind."""
    name, data = seed
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        change = chance.choice(_CHANGES)
        if data.startswith(b"PK\x03\x04") and chance.random() < 0.7:
            data = _inside_container(data, change, others, chance)
        else:
            data = change(data, others, chance)
        data = data[:_MOST_BYTES]
    if chance.random() < 0.05:
        name = chance.choice(others)[0]
    return name, data


def _flip(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8, 64)) if out else 0):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def _overwrite(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    out = bytearray(data)
    begin, end = _range(data, chance, most=64)
    out[begin:end] = bytes([chance.choice(_BYTES)]) * (end - begin)
    return bytes(out)


def _cut_end(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _cut_out(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    begin, end = _range(data, chance, most=1 + len(data) // 4)
    return data[:begin] + data[end:]


def _repeat(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    begin, end = _range(data, chance, most=512)
    times = chance.choice((2, 2, 10, 1_000, 20_000))
    return data[:begin] + data[begin:end] * times + data[end:]


def _swap(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    first, second = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    third = chance.randrange(second, len(data) + 1)
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def _splice(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    other = chance.choice(others)[1]
    begin, end = _range(other, chance, most=4_096)
    place = chance.randrange(len(data) + 1)
    return data[:place] + other[begin:end] + data[place:]


def _extreme_number(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    for match in sorted(chance.sample(found, min(len(found), chance.choice((1, 1, 3)))), key=lambda m: -m.start()):
        data = data[: match.start()] + chance.choice(_EXTREMES) + data[match.end() :]
    return data


def _nest(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(_OPENERS) * chance.choice((2, 100, 5_000, 50_000)) + data[place:]


def _exchange_structures(data: bytes, others: Sequence[Seed], chance: random.Random) -> bytes:
    """One tag, name or bracket in the place of another."""
    found = list(_STRUCTURES.finditer(data))
    if len(found) < 2:
        return _flip(data, others, chance)
    target, source = chance.sample(found, 2)
    return data[: target.start()] + source.group() + data[target.end() :]


_CHANGES: tuple[Callable[[bytes, Sequence[Seed], random.Random], bytes], ...] = (
    _flip,
    _flip,
    _overwrite,
    _cut_end,
    _cut_out,
    _repeat,
    _swap,
    _splice,
    _extreme_number,
    _nest,
    _exchange_structures,
)


def _inside_container(
    data: bytes,
    change: Callable[[bytes, Sequence[Seed], random.Random], bytes],
    others: Sequence[Seed],
    chance: random.Random,
) -> bytes:
    """The change made to one member of a container, which is then packed again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, KeyError, NotImplementedError, EOFError, zlib.error):
        return change(data, others, chance)
    if not members:
        return change(data, others, chance)
    chosen = chance.choice(sorted(members))
    members[chosen] = change(members[chosen], others, chance)[:_MOST_BYTES]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=1)
    return out.getvalue()


def _range(data: bytes, chance: random.Random, *, most: int) -> tuple[int, int]:
    begin = chance.randrange(len(data) + 1)
    return begin, min(len(data), begin + chance.randrange(1, most + 1))
