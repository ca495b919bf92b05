from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import PayloadTooLarge, UnsupportedMediaType, ValidationError
from services.library.streams import (
    BadLine,
    File,
    FormField,
    MultipartLimits,
    NdjsonLimits,
    NdjsonLine,
    UploadedFile,
    parse_multipart,
    parse_ndjson,
    safe_filename,
)

FORM = "multipart/form-data; boundary=frontier"
Part = tuple[str, bytes]


async def chunked(data: bytes, sizes: Iterable[int] = ()) -> AsyncIterator[bytes]:
    """`data` in chunks of these sizes, the rest in one."""
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data


def form(*parts: Part, end: bytes = b"--frontier--\r\n") -> bytes:
    body = b""
    for headers, content in parts:
        body += b"--frontier\r\n" + headers.encode().replace(b"\n", b"\r\n") + b"\r\n\r\n" + content + b"\r\n"
    return body + end


def file_part(name: str, content: bytes, content_type: str = "text/plain") -> Part:
    return f'Content-Disposition: form-data; name="file"; filename="{name}"\nContent-Type: {content_type}', content


async def parts_of(
    data: bytes, sizes: Iterable[int] = (), limits: MultipartLimits | None = None, content_type: str = FORM
) -> list[File | FormField]:
    return [part async for part in parse_multipart(chunked(data, sizes), content_type, limits)]


async def test_files_and_fields() -> None:
    data = form(
        file_part("a.txt", b"one\r\n--front"),
        ('Content-Disposition: form-data; name="note"', "größer".encode()),
        file_part("größe.csv", b"", "text/csv; charset=utf-8"),
    )
    assert await parts_of(data) == [
        UploadedFile("file", "a.txt", "text/plain", b"one\r\n--front"),
        FormField("note", "größer"),
        UploadedFile("file", "größe.csv", "text/csv; charset=utf-8", b""),
    ]


CONTENTS = st.binary(max_size=60) | st.sampled_from(
    [b"\r\n--frontier", b"\r\n--frontie", b"--frontier--", b"\r", b"\n-"]
)


@given(contents=st.lists(CONTENTS, max_size=4), sizes=st.lists(st.integers(1, 12), max_size=80))
async def test_any_chunking_gives_the_same_files(contents: list[bytes], sizes: list[int]) -> None:
    contents = [content for content in contents if b"\r\n--frontier" not in content]
    data = form(*(file_part(f"{number}.bin", content) for number, content in enumerate(contents)))
    found = await parts_of(data, sizes)
    assert [part.data for part in found if isinstance(part, UploadedFile)] == contents


async def test_a_file_is_given_before_the_rest_arrives() -> None:
    first = form(file_part("a.txt", b"early"), end=b"--frontier\r\n")

    async def endless() -> AsyncIterator[bytes]:
        yield first
        raise AssertionError("the first file was not given out")

    async for part in parse_multipart(endless(), FORM):
        assert isinstance(part, UploadedFile)
        assert part.data == b"early"
        break


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=x", "text/plain; boundary=x"],
)
async def test_another_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        await parts_of(form(), content_type=content_type)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no form at all",
        form(file_part("a", b"cut"), end=b""),
        form(file_part("a", b"cut"))[:-6],
        form(("Content-Type: text/plain", b"no name")),
        form(("Content-Disposition: form-data", b"no name")),
        form(('Content-Disposition: attachment; filename="x"', b"no form data")),
        form(('Content-Disposition: form-data; name="f"; filename="x"\nContent-Transfer-Encoding: base64', b"eA==")),
        form((f'Content-Disposition: form-data; name="{"f" * 5000}"', b"")),
        form(("\n".join(f"X-{n}: y" for n in range(30)), b"")),
    ],
)
async def test_malformed_forms(data: bytes) -> None:
    with pytest.raises(ValidationError) as raised:
        await parts_of(data)
    assert raised.value.faults[0].field == "body"


@pytest.mark.parametrize(
    "limits", [MultipartLimits(body=200), MultipartLimits(file=99), MultipartLimits(parts=1), MultipartLimits(field=3)]
)
async def test_limits_of_a_form(limits: MultipartLimits) -> None:
    data = form(file_part("a", b"x" * 100), ('Content-Disposition: form-data; name="f"', b"abcd"))
    assert len(await parts_of(data)) == 2
    with pytest.raises(PayloadTooLarge):
        await parts_of(data, [50] * 20, limits)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\Report 1.pdf", "Report 1.pdf"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: x.txt", "a Set-Cookie: x.txt"),
        ("\u202efdp.exe", "fdp.exe"),
        ("e\u0301te\u0301.md", "été.md"),
        ("..", "document"),
        ("", "document"),
        ("?*|", "?*|"),
        ("Σταθμοί & <b>.csv", "Σταθμοί & <b>.csv"),
        ('a\x00\x1b\x7f b: 100 %, "c".csv', 'a b: 100 %, "c".csv'),
        ("x" * 300 + ".docx", "x" * 195 + ".docx"),
        ("x" * 300, "x" * 200),
    ],
)
def test_filenames_are_made_safe(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@given(st.text(max_size=300))
def test_a_safe_filename_is_safe(name: str) -> None:
    safe = safe_filename(name)
    assert 1 <= len(safe) <= 200
    assert safe.isprintable()
    assert not set(safe) & set("/\\")
    assert not safe.startswith(".")
    assert safe_filename(safe) == safe


async def lines_of(
    data: bytes, sizes: Iterable[int] = (), limits: NdjsonLimits | None = None
) -> list[NdjsonLine | BadLine]:
    return [line async for line in parse_ndjson(chunked(data, sizes), limits)]


async def test_lines_are_numbered_and_empty_ones_skipped() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n[2]\n"end"'
    assert await lines_of(data) == [NdjsonLine(1, {"a": 1}), NdjsonLine(4, [2]), NdjsonLine(5, "end")]
    assert await lines_of(b"") == []


@given(
    values=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers(0, 9)), max_size=9),
    sizes=st.lists(st.integers(1, 9), max_size=60),
)
async def test_any_chunking_gives_the_same_lines(values: list[object], sizes: list[int]) -> None:
    data = b"\n".join(orjson.dumps(value) for value in values)
    assert [line.value for line in await lines_of(data, sizes) if isinstance(line, NdjsonLine)] == values


@pytest.mark.parametrize("bad", [b"{", b"nope", b'{"a": NaN}', b"{} {}", b"\xff", b"[" * 5000])
async def test_a_bad_line_is_named_and_the_others_go_on(bad: bytes) -> None:
    first, wrong, last = await lines_of(b"{}\n\n" + bad + b"\n{}\n")
    assert (first, last) == (NdjsonLine(1, {}), NdjsonLine(4, {}))
    assert isinstance(wrong, BadLine)
    assert wrong.number == 3
    assert wrong.error.details == {"line": 3}
    assert str(wrong.error).startswith("Line 3: ")


@pytest.mark.parametrize("sizes", [[], [7] * 20])
async def test_limits_of_lines(sizes: list[int]) -> None:
    data = b'{"a": 1}\n\n{"a": "%s"}\n' % (b"x" * 100)
    assert len(await lines_of(data, sizes, NdjsonLimits(lines=2, line=109, body=len(data)))) == 2
    for limits, message in (
        (NdjsonLimits(lines=1), "Line 3"),
        (NdjsonLimits(line=107), "Line 3"),
        (NdjsonLimits(body=len(data) - 1), "The body"),
    ):
        with pytest.raises(PayloadTooLarge, match=message):
            await lines_of(data, sizes, limits)


async def test_an_endless_line_is_refused_while_it_arrives() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(PayloadTooLarge, match="Line 1"):
        await anext(parse_ndjson(endless(), NdjsonLimits(line=10_000)))
