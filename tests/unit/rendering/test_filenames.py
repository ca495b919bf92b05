from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.results.rendering.filenames import MAX_BYTES, content_disposition, safe_filename


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Pressure and boiling", "Pressure and boiling.pdf"),
        ("../../etc/passwd", "etc passwd.pdf"),
        ("C:\\Windows\\system32", "C Windows system32.pdf"),
        ("a\r\nSet-Cookie: x=1", "a Set-Cookie x=1.pdf"),
        ('say "hi"; filename=evil.exe', "say hi ; filename=evil.exe.pdf"),
        ("report\u202efdp.exe", "reportfdp.exe.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("-rf", "rf.pdf"),
        ("CON", "_CON.pdf"),
        ("nul.txt", "_nul.txt.pdf"),
        ("水の沸点", "水の沸点.pdf"),
        ("...", "results.pdf"),
        ("", "results.pdf"),
    ],
)
def test_titles_become_safe_names(title: str, name: str) -> None:
    assert safe_filename(title, "pdf") == name


@given(st.text(max_size=400))
def test_any_title_gives_one_safe_path_segment(title: str) -> None:
    name = safe_filename(title, "docx")
    assert name.endswith(".docx")
    assert len(name.encode()) <= MAX_BYTES
    assert not re.search(r'[\\/:*?"<>|\x00-\x1f\x7f\u202a-\u202e]', name)
    assert not name.startswith((".", "-", " "))


@given(st.text(max_size=200))
def test_header_is_ascii_and_carries_the_full_name(title: str) -> None:
    name = safe_filename(title, "pdf")
    header = content_disposition(name)
    found = re.fullmatch(r"attachment; filename=\"([A-Za-z0-9 ._()\[\],+=@-]+)\"; filename\*=UTF-8''(\S+)", header)
    assert found is not None
    assert unquote(found[2]) == name
    assert found[1].endswith(".pdf")


def test_header_keeps_a_plain_name_for_old_programs() -> None:
    header = content_disposition("Été à 100 °C.pdf")
    assert header == (
        "attachment; filename=\"Ete a 100 C.pdf\"; filename*=UTF-8''%C3%89t%C3%A9%20%C3%A0%20100%20%C2%B0C.pdf"
    )
