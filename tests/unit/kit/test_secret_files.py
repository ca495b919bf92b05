"""Secrets in files: read, trimmed, and refused with a line that never shows a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kit.secret_files import BadSecretFile, value_of, values_from_files
from kit.settings import from_environment, unknown_settings
from services.library.settings import LibrarySettings
from services.session.settings import SessionSettings
from worker.settings import WorkerSettings


def test_a_value_comes_from_the_variable_or_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(" postgresql://user:secret@host/name\n")
    assert value_of({"A": "x"}, "A") == "x"
    assert value_of({}, "A") is None
    assert value_of({"A_FILE": str(tmp_path / "url")}, "A") == "postgresql://user:secret@host/name"
    given = {"P_URL_FILE": str(tmp_path / "url"), "P_OTHER": "y"}
    assert values_from_files(given, "P_", ["url", "other"]) == {"url": "postgresql://user:secret@host/name"}


def test_what_cannot_be_is_refused_without_the_value(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("secret")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadSecretFile, match="A and A_FILE are both set"):
        value_of({"A": "secret", "A_FILE": str(tmp_path / "url")}, "A")
    with pytest.raises(BadSecretFile, match=r"A_FILE: .* cannot be read: No such file"):
        value_of({"A_FILE": str(tmp_path / "none")}, "A")
    with pytest.raises(BadSecretFile, match=r"A_FILE: .* cannot be read: it is no text"):
        value_of({"A_FILE": str(tmp_path / "bytes")}, "A")


def test_a_process_reads_its_settings_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    for name in ("LISTEN", "NATS_URL", "INTERNAL_KEY", "SESSION_TARGET", "RESULTS_TARGET", "LIBRARY_TARGET"):
        monkeypatch.setenv(f"PRSM_WORKER_{name}", "x")
    monkeypatch.setenv("PRSM_WORKER_NATS_TOKEN_FILE", str(tmp_path / "token"))
    assert from_environment(WorkerSettings).nats_token == "t0ken"
    monkeypatch.setenv("PRSM_WORKER_NATS_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(SystemExit) as ended:
        from_environment(WorkerSettings)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("PRSM_WORKER_NATS_TOKEN_FILE: ")


@pytest.mark.parametrize(
    ("kind", "name", "value", "form"),
    [
        (SessionSettings, "PRSM_SESSION_ENGINES", "s3cret", '{"glossary": {"types": ["research"]}}'),
        (SessionSettings, "PRSM_SESSION_ENGINES", '"s3cret"', '{"glossary": {"types": ["research"]}}'),
        (SessionSettings, "PRSM_SESSION_USER_ALGORITHMS", "s3cret", '["EdDSA"]'),
        (LibrarySettings, "PRSM_LIBRARY_CONNECTORS", "s3cret", '["openalex"]'),
        (LibrarySettings, "PRSM_LIBRARY_CONNECTOR_URLS", "s3cret,", '{"name": "value"}'),
        (WorkerSettings, "PRSM_WORKER_ENGINES", "s3cret", '["value"]'),
        (WorkerSettings, "PRSM_WORKER_PRELOAD", "s3cret", '["value"]'),
    ],
)
def test_what_is_no_json_is_told_with_the_form_it_must_have(
    kind: type[Any],
    name: str,
    value: str,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prefix = kind.model_config["env_prefix"]
    for field, info in kind.model_fields.items():
        if info.is_required():
            monkeypatch.setenv(f"{prefix}{field}".upper(), "x")
    monkeypatch.setenv(f"{prefix}INTERNAL_KEY", "x")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        from_environment(kind)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{name}: must be JSON, such as {form}\n"


def test_a_misspelt_setting_is_told_with_the_name_that_was_meant() -> None:
    fields = ["listen", "poll_seconds", "nats_token"]
    given = ["PATH", "PRSM_WORKER_LISTEN", "PRSM_WORKER_NATS_TOKEN_FILE", "PRSM_WORKER_POLL_SECOND", "PRSM_WORKER_ZZ"]
    assert unknown_settings(given, "PRSM_WORKER_", fields) == [
        "PRSM_WORKER_POLL_SECOND is no setting and is ignored: did you mean PRSM_WORKER_POLL_SECONDS?",
        "PRSM_WORKER_ZZ is no setting and is ignored",
    ]
