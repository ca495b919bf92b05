from __future__ import annotations

import pytest

from kit.latin import is_latin, likeliest

_TEXTS = {
    "isim,şehir\nAyşe,İstanbul\nÇağrı,Muğla\n": ("cp1254", "iso8859_9"),
    "il,nüfus\nİzmir,4\nAğrı,5\n": ("cp1254",),
    "Ort,Straße\nKöln,Große Bäckerstraße\nMünchen,5\n": ("cp1252", "cp850", "cp437", "mac_roman"),
    "Ort,Wert\nKöln,4\n": ("cp1252",),
    "nafn,staður\nÞórður,Ísafjörður\nÆsa,Höfn\n": ("cp1252",),
    "il,değer\nİzmir,4\nAğrı,5\n": ("cp1254",),
    "nom,ville\nHélène,Besançon\nNoël,Nîmes\n": ("cp1252", "cp850", "mac_roman"),
    "nombre,ciudad\nJosé,Córdoba\nPeña,León\n": ("cp1252", "cp850", "mac_roman"),
    "nome,cidade\nJoão,São Paulo\nInês,Goiânia\n": ("cp1252", "cp850", "mac_roman"),
    "imię,miasto\nŁukasz,Łódź\nŚwięta,Gdańsk\n": ("cp1250", "iso8859_2", "cp852"),
    "navn,by\nSøren,Århus\nJørgen,Tromsø\n": ("cp1252", "cp850", "cp865", "mac_roman"),
}


@pytest.mark.parametrize(("text", "encoding"), [(text, name) for text, names in _TEXTS.items() for name in names])
def test_text_comes_back_from_the_encoding_it_was_written_in(text: str, encoding: str) -> None:
    assert text.encode(encoding).decode(likeliest(text.encode(encoding))) == text


@pytest.mark.parametrize(
    "text",
    [
        "The ocean—which is warm—absorbs more.",
        "cost–benefit analysis, Navier–Stokes, Müller–Lyer",
        "Wait…what",
        "no\N{NO-BREAK SPACE}break, soft\N{SOFT HYPHEN}hyphen",
        "d´Italia",
    ],
)
def test_signs_that_join_words_are_no_letters_of_another_encoding(text: str) -> None:
    assert text.encode("cp1252").decode(likeliest(text.encode("cp1252"))) == text


def test_what_tells_nothing_is_the_commonest() -> None:
    assert likeliest(b"plain") == "cp1252"
    assert likeliest("“quoted” – 5 €".encode("cp1252")) == "cp1252"


def test_encodings_of_latin_script() -> None:
    assert all(map(is_latin, ("cp1252", "ISO8859-15", "mac_roman", "cp850")))
    assert not any(map(is_latin, ("cp1251", "koi8_r", "iso8859_5", "mac_cyrillic", "utf_8")))
