"""What the commands print, and how they refuse."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.main import run_command
from cli.stack.datadir import DataDir
from cli.stack.keys import USER_AUDIENCE, USER_ISSUER, ensure_keys
from kit.auth.keys import KeySource
from kit.auth.tokens import TokenRules, TokenVerifier, header_of
from kit.times import ManualClock, SystemClock

Said = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "data")
    made.create()
    ensure_keys(made)
    return made


def run(*words: object) -> int:
    return run_command([str(word) for word in words])


async def test_a_token_carries_who_was_named_and_is_good_for_services(data: DataDir, capsys: Said) -> None:
    options = ("--email", "Ada@Example.org", "--name", "Ada", "--team", "b", "--team", "a", "--scope", "admin")
    assert run("token", "--data-dir", data.root, "--user", "ada", *options, "--ttl", "30m") == 0
    said = capsys.readouterr()
    token = said.out.removesuffix("\n")
    assert (said.err, token.count("\n")) == ("", 0)
    clock = SystemClock()
    rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
    principal, claims = await TokenVerifier(KeySource(str(data.user_jwks), clock), rules, clock).claims(token)
    assert (principal.user_id, principal.email, principal.name) == ("ada", "ada@example.org", "Ada")
    assert (principal.teams, principal.scopes) == (("a", "b"), frozenset({"admin"}))
    assert claims["exp"] - claims["iat"] == 1800
    assert header_of(token)["kid"] == "prsm-local"


async def test_a_plain_token_is_a_full_user_without_claims_of_its_own(data: DataDir, capsys: Said) -> None:
    assert run("token", "--data-dir", data.root, "--user", "ada") == 0
    clock = ManualClock(SystemClock().now())
    rules = TokenRules(issuer=USER_ISSUER, audience=USER_AUDIENCE)
    verifier = TokenVerifier(KeySource(str(data.user_jwks), clock), rules, clock)
    _, claims = await verifier.claims(capsys.readouterr().out.strip())
    assert set(claims) == {"iss", "aud", "iat", "exp", "sub"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--user", ""), "--user must be 1 to 255 printable characters"),
        (("--user", "a" * 256), "--user must be 1 to 255 printable characters"),
        (("--user", "a\nb"), "--user must be 1 to 255 printable characters"),
        (("--user", "a", "--email", "nobody"), "--email must look like name@example.org, not 'nobody'"),
        (("--user", "a", "--scope", "root"), "--scope must be one of read, admin, service, not 'root'"),
        (
            ("--user", "a", "--ttl", "soon"),
            "--ttl must be a whole number with s, m, h or d, such as \"1h\", not 'soon'",
        ),
        (("--user", "a", "--ttl", "0h"), "--ttl must be a whole number with s, m, h or d, such as \"1h\", not '0h'"),
    ],
)
def test_a_token_that_cannot_be_is_refused(data: DataDir, capsys: Said, words: tuple[str, ...], line: str) -> None:
    assert run("token", "--data-dir", data.root, *words) == 2
    assert capsys.readouterr() == ("", f"prsm token: {line}\n")


def test_a_token_without_keys_says_what_to_do(tmp_path: Path, capsys: Said) -> None:
    assert run("token", "--data-dir", tmp_path, "--user", "a") == 2
    assert capsys.readouterr().err == (
        f"prsm token: there are no keys in {tmp_path}: run prsm up --data-dir {tmp_path} first\n"
    )


@pytest.mark.parametrize("amount", ["-5.00", "1e3", "5,00", "free", "0.0000001", "0.00"])
def test_a_bad_amount_is_refused(data: DataDir, capsys: Said, amount: str) -> None:
    assert run("credit", "--data-dir", data.root, "--user", "a", f"--amount={amount}") == 2
    said = capsys.readouterr().err
    assert said.startswith("prsm credit: --amount must be ")
    assert ("greater than 0" in said) == (amount.startswith("-") or not amount.strip("0."))
    assert said.count("\n") == 1
    assert '"50.00"' in said


def test_without_a_running_stack_commands_for_it_say_so(data: DataDir, capsys: Said) -> None:
    line = f"no stack is running on {data.root}: start it with prsm up\n"
    for words in (("failed", "--within", "24h"), ("attention",), ("requeue", "x")):
        assert run("sessions", *words, "--data-dir", data.root) == 2
        assert capsys.readouterr().err == f"prsm sessions: {line}"
    assert run("credit", "--data-dir", data.root, "--user", "a", "--amount", "5.00") == 2
    assert capsys.readouterr().err == f"prsm credit: {line}"
    assert run("demo", "--data-dir", data.root) == 2
    assert capsys.readouterr().err == f"prsm demo: {line}"


def test_a_stack_that_does_not_answer_is_named(data: DataDir, capsys: Said) -> None:
    data.write_endpoints({"billing": "127.0.0.1:1", "gateway": "http://127.0.0.1:1"})
    assert run("credit", "--data-dir", data.root, "--user", "a", "--amount", "5.00") == 1
    assert capsys.readouterr().err == "prsm credit: no stack answers at 127.0.0.1:1: start it with prsm up\n"
    assert run("demo", "--data-dir", data.root) == 1
    assert capsys.readouterr().err == "prsm demo: no stack answers at http://127.0.0.1:1: start it with prsm up\n"


@pytest.mark.parametrize(
    "words",
    [
        ("up", "--port", "many"),
        ("up", "--port", "70000"),
        ("up", "--workers", "-1"),
        ("up", "--database-url", "mysql://x"),
        ("up", "--initial-grant", "lots"),
        ("up", "--nonsense"),
        ("token",),
        ("fly",),
        ("sessions", "failed", "--within", "long"),
        ("sessions", "failed", "--limit", "1000"),
        ("sessions", "requeue"),
        ("run", "--docs", "/nowhere"),
        ("run", "--data", "/nowhere.csv"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(tmp_path: Path, capsys: Said, words: tuple[str, ...]) -> None:
    given = [*words, "--data-dir", str(tmp_path / "data")] if words[0] in ("up", "run") else list(words)
    assert run(*given) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith(f"prsm {words[0]}: ")
    assert not (tmp_path / "data").exists()


def test_alone_it_shows_the_help_line_by_line(capsys: Said) -> None:
    assert run("--help") == 0
    help_text = capsys.readouterr().out
    assert run() == 0
    assert capsys.readouterr() == (help_text, "")
    assert help_text.count("\n") > 10


def test_it_knows_its_version(capsys: Said) -> None:
    project = tomllib.loads((Path(__file__).resolve().parents[3] / "pyproject.toml").read_text())["project"]
    assert run("--version") == 0
    assert capsys.readouterr() == (f"prsm {project['version']}\n", "")


def test_help_needs_no_heavy_module() -> None:
    code = (
        "import sys\nfrom cli.main import run_command\nassert run_command(['--help']) == 0\n"
        "heavy = {'grpc', 'aiohttp', 'joserfc', 'sqlalchemy', 'rich', 'nats'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("up", "run", "demo", "token", "credit", "sessions"):
        assert f"\n  {command} " in done.stdout
