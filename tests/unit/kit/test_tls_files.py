"""Certificate files: what can be used, and what happens while they are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.rpc.tls import BadTlsFiles, TlsFiles
from tests.support.certificates import Authority, TlsFolder, serial_of

AUTHORITY = Authority()


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> TlsFolder:
    return TlsFolder(tmp_path / "tls", AUTHORITY, "session")


def opened(folder: TlsFolder, seconds: Seconds) -> TlsFiles:
    return TlsFiles(str(folder.cert), str(folder.key), str(folder.ca), monotonic=seconds)


def test_a_replaced_certificate_is_found_after_a_pause(folder: TlsFolder) -> None:
    seconds = Seconds()
    files = opened(folder, seconds)
    first = files.current()
    folder.issue(AUTHORITY, "session")
    assert files.current() is first
    seconds.now = 1.0
    newest = files.current()
    assert newest.cert == folder.cert.read_bytes()
    assert serial_of(newest.cert) != serial_of(first.cert)


def test_files_that_have_not_changed_stay_the_same_object(folder: TlsFolder) -> None:
    seconds = Seconds()
    files = opened(folder, seconds)
    first = files.current()
    seconds.now = 60.0
    assert files.current() is first


@pytest.mark.parametrize("broken", ["cert", "key", "ca", "gone", "other key"])
def test_what_cannot_be_used_leaves_the_old_ones_in_force_until_it_can(folder: TlsFolder, broken: str) -> None:
    seconds = Seconds()
    files = opened(folder, seconds)
    first = files.current()
    cert, key = AUTHORITY.issue("session")
    spoilt = {
        "cert": (b"", key, AUTHORITY.pem),
        "key": (cert, b"no key", AUTHORITY.pem),
        "ca": (cert, key, b""),
        "other key": (cert, AUTHORITY.issue("session")[1], AUTHORITY.pem),
    }
    folder.put(*spoilt.get(broken, (cert, key, AUTHORITY.pem)))
    if broken == "gone":
        folder.cert.unlink()
    seconds.now = 1.0
    assert files.current() is first
    folder.put(cert, key, AUTHORITY.pem)
    seconds.now = 2.0
    assert files.current().cert == cert


def test_at_the_start_bad_files_are_an_error_that_says_which(folder: TlsFolder) -> None:
    folder.key.unlink()
    with pytest.raises(BadTlsFiles, match=r"tls\.key cannot be read"):
        opened(folder, Seconds())
    cert, _ = AUTHORITY.issue("session")
    folder.put(cert, AUTHORITY.issue("session")[1], AUTHORITY.pem)
    with pytest.raises(BadTlsFiles, match="the private key is not the certificate's"):
        opened(folder, Seconds())
