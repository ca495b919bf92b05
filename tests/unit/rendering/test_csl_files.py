"""CSL files of strangers: what is no style, or means harm, is refused before any processor sees it."""

from __future__ import annotations

import pytest

from services.results.rendering.citing.styles import (
    MOST_BYTES,
    DependentStyle,
    InvalidStyle,
    Style,
    brought,
    built_in_parent,
    inspect,
)

NAMESPACE = 'xmlns="http://purl.org/net/xbiblio/csl"'
INFO = "<info><title>House &amp; style</title><id>urn:house</id><updated>2026-01-01T00:00:00Z</updated></info>"
CITATION = '<citation><layout><text variable="title"/></layout></citation>'
BIBLIOGRAPHY = '<bibliography><layout><text variable="title"/></layout></bibliography>'


def csl(
    body: str = CITATION + BIBLIOGRAPHY, *, info: str = INFO, attributes: str = 'class="in-text"', before: str = ""
) -> bytes:
    return f'{before}<style {NAMESPACE} version="1.0" {attributes}>{info}{body}</style>'.encode()


def _refusal(data: bytes) -> str:
    with pytest.raises(InvalidStyle) as caught:
        inspect(data)
    return str(caught.value)


def _macros(count: int, calls: int) -> str:
    """Each macro calls the next one several times."""
    parts = [f'<macro name="m{n}">{f"""<text macro="m{n + 1}"/>""" * calls}</macro>' for n in range(count)]
    return "".join(parts) + f'<macro name="m{count}"><text value="x"/></macro>'


def test_a_style_is_known_by_its_title() -> None:
    assert inspect(csl()).title == "House & style"
    assert inspect(b"\xef\xbb\xbf" + csl()).title == "House & style"


@pytest.mark.parametrize(
    ("attributes", "info", "body", "kind"),
    [
        ('class="note"', INFO, CITATION, "note"),
        ('class="in-text"', INFO, CITATION, "author-date"),
        ('class="in-text"', INFO, CITATION.replace("title", "citation-number"), "numeric"),
        (
            'class="in-text"',
            INFO.replace("</info>", '<category citation-format="numeric"/></info>'),
            CITATION,
            "numeric",
        ),
        (
            'class="in-text"',
            INFO.replace("</info>", '<category citation-format="author-date"/></info>'),
            CITATION.replace("title", "citation-number"),
            "author-date",
        ),
    ],
)
def test_how_it_cites(attributes: str, info: str, body: str, kind: str) -> None:
    assert inspect(csl(body + BIBLIOGRAPHY, info=info, attributes=attributes)).kind == kind


def test_a_dependent_style_names_its_parent() -> None:
    link = '<link href="http://www.zotero.org/styles/apa" rel="independent-parent"/></info>'
    with pytest.raises(DependentStyle) as caught:
        inspect(csl("", info=INFO.replace("</info>", link), attributes=""))
    assert caught.value.parent == "http://www.zotero.org/styles/apa"
    assert built_in_parent(caught.value.parent) == "apa"
    assert built_in_parent("http://www.zotero.org/styles/chicago-author-date") == "chicago"
    assert built_in_parent("http://www.zotero.org/styles/nowhere") is None


BOMB = '<!DOCTYPE style [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "not well-formed"),
    ("text", b"Title, Author, Year", "not well-formed"),
    ("json", b'{"style": 1}', "not well-formed"),
    ("html", b"<html><body>style</body></html>", "not a CSL style"),
    ("no namespace", b"<style><info/></style>", "not a CSL style"),
    ("other root", f"<locale {NAMESPACE}/>".encode(), "not a CSL style"),
    ("cut off", csl()[:-10], "not well-formed"),
    ("undeclared entity", csl(info=INFO.replace("&amp;", "&x;")), "not well-formed"),
    ("doctype", csl(before="<!DOCTYPE style>"), "document type"),
    ("doctype in small letters", csl(before='<!doctype style SYSTEM "x">'), "document type"),
    ("entities", csl(before=BOMB, info=INFO.replace("&amp;", "&b;")), "document type"),
    (
        "external entity",
        csl(before='<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>', info=INFO.replace("&amp;", "&x;")),
        "document type",
    ),
    ("parameter entity", csl(before='<!DOCTYPE s [<!ENTITY % x SYSTEM "http://e.org/"> %x;]>'), "document type"),
    ("utf-16", csl().decode().encode("utf-16"), "UTF-8"),
    ("utf-32", csl().decode().encode("utf-32"), "UTF-8"),
    ("utf-7", csl(before='<?xml version="1.0" encoding="utf-7"?>').replace(b"<info>", b"+ADw-info+AD4-"), ""),
    ("invalid utf-8", csl().replace(b"House", b"\xff\xfe"), "not well-formed"),
    ("null byte", csl().replace(b"House", b"Ho\x00use"), "UTF-8"),
    ("control character", csl().replace(b"House", b"Ho\x08use"), "not well-formed"),
    ("too large", csl(info=INFO.replace("House", "x" * MOST_BYTES)), "larger than 512 KiB"),
    ("too deep", csl(CITATION + BIBLIOGRAPHY + "<group>" * 100 + "</group>" * 100), "nested deeper"),
    ("far too deep", csl("<group>" * 20_000 + "</group>" * 20_000), ""),
    ("too many elements", csl(CITATION + BIBLIOGRAPHY + "<a/>" * 21_000), "more elements"),
    ("no info", csl(info=""), "no <info>"),
    ("no citation", csl(BIBLIOGRAPHY), "no <citation>"),
    ("empty citation", csl("<citation/>" + BIBLIOGRAPHY), "no <citation>"),
    ("no bibliography", csl(CITATION), "no <bibliography>"),
    ("no class", csl(attributes=""), "class"),
    ("unknown class", csl(attributes='class="footnote"'), "class"),
    ("macro of itself", csl('<macro name="a"><text macro="a"/></macro>' + CITATION + BIBLIOGRAPHY), "calls itself"),
    (
        "macros in a circle",
        csl(
            '<macro name="a"><text macro="b"/></macro><macro name="b"><text macro="a"/></macro>'
            + CITATION
            + BIBLIOGRAPHY
        ),
        "calls itself",
    ),
    ("macro that is not there", csl(CITATION.replace('variable="title"', 'macro="m"') + BIBLIOGRAPHY), "not there"),
    ("macros that multiply", csl(_macros(12, 4) + CITATION + BIBLIOGRAPHY), "more often"),
    ("macros in a long chain", csl(_macros(200, 1) + CITATION + BIBLIOGRAPHY), "calls itself"),
]


@pytest.mark.parametrize(("data", "reason"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_is_refused(data: bytes, reason: str) -> None:
    assert reason in _refusal(data)


def test_a_refusal_is_short_whatever_the_file_says() -> None:
    name = "m" * 10_000
    assert len(_refusal(csl(CITATION.replace('variable="title"', f'macro="{name}"') + BIBLIOGRAPHY))) < 400


def test_processing_instructions_and_inclusions_load_nothing() -> None:
    inclusion = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    data = csl(
        inclusion + CITATION + BIBLIOGRAPHY, before='<?xml-stylesheet href="http://e.org/x.xsl"?><!-- a comment -->'
    )
    assert inspect(data).title == "House & style"
    assert "root:" not in brought(data.decode()).csl


def test_a_style_is_read_again_from_what_was_stored() -> None:
    assert brought(csl().decode()).title == "House & style"


@pytest.mark.parametrize(
    ("attribute", "between"),
    [("", ""), ('cite-group-delimiter="; "', "; "), ("cite-group-delimiter = ' &amp; '", " & ")],
)
def test_a_style_may_say_what_stands_between_works_of_one_author(attribute: str, between: str) -> None:
    assert Style("s", "author-date", csl=f"<citation {attribute}><layout/></citation>").between_years == between
