"""What a store that speaks S3 may do, and how it is configured: by settings, by files, by the cloud's own variables."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import obstore
import pytest
from pydantic_settings import SettingsConfigDict

from kit.blob_settings import BlobSettings, blobs_of, opened_blobs
from kit.blobs import Access, Blobs, open_blobs
from kit.errors import Unavailable
from kit.settings import BadSettings, from_environment
from tests.support.certificates import Authority, TlsFolder
from tests.support.s3 import Fault, S3Server, What

WHOLE = bytes(range(256)) * 400
Environment = Callable[..., None]


def failing(what: What, call: str, times: int = 1) -> Fault:
    method, _, part = call.partition(" ")
    return Fault(what, method, part, times)


class Settings(BlobSettings):
    model_config = SettingsConfigDict(env_prefix="PRSM_X_", extra="ignore")


@pytest.fixture
async def server() -> AsyncIterator[S3Server]:
    async with S3Server() as server:
        yield server


@pytest.fixture
def environment(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set what is right, with changes; an empty value unsets."""

    def set_up(**changes: str) -> None:
        right = {
            "BLOBS": f"s3://{server.bucket}/x",
            "BLOBS_ENDPOINT": server.endpoint,
            "BLOBS_REGION": server.region,
            "BLOBS_KEY_ID": server.key_id,
            "BLOBS_SECRET": server.secret,
        }
        for name, value in ({f"PRSM_X_{name}": value for name, value in right.items()} | changes).items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)

    return set_up


def blobs_in(server: S3Server, *, deadline: float = 30.0) -> Blobs:
    store = open_blobs(
        f"s3://{server.bucket}/x", Access(server.endpoint, server.region, server.key_id, server.secret)
    )._store
    return Blobs(store, deadline=deadline)


CALLS: dict[str, Callable[[Blobs], Awaitable[object]]] = {
    "PUT": lambda blobs: blobs.put("key", WHOLE),
    "GET": lambda blobs: blobs.get("key"),
    "HEAD": lambda blobs: blobs.size("key"),
    "DELETE": lambda blobs: blobs.delete("key"),
    "PUT other": lambda blobs: blobs.rename("key", "other"),
}


@pytest.mark.parametrize("what", ["slow down", "cut", "lost"])
@pytest.mark.parametrize("call", CALLS)
async def test_what_fails_once_is_tried_again(server: S3Server, call: str, what: What) -> None:
    server.hold("x/key", WHOLE)
    fault = failing(what, call)
    server.faults = [fault]
    await CALLS[call](blobs_in(server))
    assert fault.times == 0
    moved = {"x/other": WHOLE} if call == "PUT other" else {"x/key": WHOLE}
    assert {key: held.body for key, held in server.objects.items()} == ({} if call == "DELETE" else moved)


async def test_an_answer_that_breaks_off_is_never_taken_for_all(server: S3Server) -> None:
    server.hold("x/key", WHOLE)
    server.faults = [Fault("truncated", "GET")]
    assert await blobs_in(server).get("key") == WHOLE
    server.faults = [Fault("truncated", "GET")]
    assert await blobs_in(server).get_range("key", 1, 90_001) == WHOLE[1:90_001]
    server.faults = [Fault("truncated", "GET", times=1000)]
    with pytest.raises(Unavailable):
        await blobs_in(server, deadline=0.3).get("key")


@pytest.mark.parametrize("part", ["other", "uploadId"])
async def test_an_error_that_comes_as_200_is_one(server: S3Server, part: str) -> None:
    server.hold("x/key", WHOLE)
    server.faults = [Fault("error in 200", part=part, times=1000)]

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield WHOLE * 30

    blobs = blobs_in(server, deadline=0.3)
    with pytest.raises(Unavailable):
        await (blobs.rename("key", "other") if part == "other" else blobs.put_stream("large", pieces(), within=0.5))


@pytest.mark.parametrize("what", ["slow down", "silent"])
@pytest.mark.parametrize("call", CALLS)
async def test_what_goes_on_failing_ends_by_its_deadline(server: S3Server, call: str, what: What) -> None:
    server.hold("x/key", WHOLE)
    server.faults = [failing(what, call, times=1000)]
    with pytest.raises(Unavailable):
        await CALLS[call](blobs_in(server, deadline=0.15))
    assert server.objects["x/key"].body == WHOLE


async def test_a_bucket_that_is_gone_is_no_answer_about_blobs(server: S3Server) -> None:
    blobs = blobs_in(server)
    server.bucket = "another"
    for call in ("PUT", "GET", "PUT other"):
        with pytest.raises(Unavailable):
            await CALLS[call](blobs)


async def test_the_server_knows_conditions_and_batches(server: S3Server) -> None:
    """What others of its clients rely on."""
    store = blobs_in(server)._store
    await obstore.put_async(store, "key", b"1", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        await obstore.put_async(store, "key", b"2", mode="create")
    with pytest.raises(obstore.exceptions.PreconditionError):
        await obstore.put_async(store, "key", b"2", mode={"e_tag": '"other"'})
    tag = (await obstore.head_async(store, "key"))["e_tag"]
    with pytest.raises(obstore.exceptions.NotModifiedError):
        await obstore.get_async(store, "key", options={"if_none_match": tag})
    batches = obstore.store.from_url(
        f"s3://{server.bucket}",
        config={
            "endpoint": server.endpoint,
            "region": server.region,
            "access_key_id": server.key_id,
            "secret_access_key": server.secret,
            "unsigned_payload": True,
        },
        client_options={"allow_http": True},
    )
    server.hold("é <&>", b"3")
    await obstore.put_async(batches, "plain", b"4")
    await obstore.delete_async(batches, ["x/key", "é <&>", "plain"])
    assert (server.objects, server.payloads) == ({}, {"signed", "unsigned"})


async def test_settings_and_files_say_where_it_is(server: S3Server, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{server.secret}\n")
    environment(PRSM_X_BLOBS_SECRET="", PRSM_X_BLOBS_SECRET_FILE=str(tmp_path / "secret"))
    settings = from_environment(Settings)
    assert server.secret not in repr(settings)
    blobs = await opened_blobs(settings)
    await blobs.put("a b+c/ü", b"1")
    assert list(server.objects) == ["x/a b+c/ü"]
    assert server.requests[-1].startswith(f"PUT /{server.bucket}/x/")


async def test_the_bucket_may_stand_before_the_host(
    server: S3Server, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No name server knows the host: its requests are brought to the server by a proxy, which it is itself.
    monkeypatch.setenv("http_proxy", server.endpoint)
    environment(PRSM_X_BLOBS_ENDPOINT="http://store.test", PRSM_X_BLOBS_ADDRESSING="host")
    await (await opened_blobs(from_environment(Settings))).put("key", b"1")
    assert (list(server.objects), server.requests[-1]) == (["x/key"], "PUT /x/key")


async def test_amazons_own_variables_count_where_no_setting_is(server: S3Server, environment: Environment) -> None:
    environment(
        **{f"PRSM_X_BLOBS_{name}": "" for name in ("ENDPOINT", "REGION", "KEY_ID", "SECRET")},
        AWS_ENDPOINT_URL=server.endpoint,
        AWS_REGION=server.region,
        AWS_ACCESS_KEY_ID=server.key_id,
        AWS_SECRET_ACCESS_KEY=server.secret,
    )
    await (await opened_blobs(from_environment(Settings))).put("key", b"1")
    assert list(server.objects) == ["x/key"]
    # A setting goes before them.
    environment(AWS_ENDPOINT_URL_S3="http://127.0.0.1:1", AWS_ACCESS_KEY_ID="other", AWS_SECRET_ACCESS_KEY="other")
    await (await opened_blobs(from_environment(Settings))).delete("key")
    assert server.objects == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PRSM_X_BLOBS_SECRET": "wrong"}, "403 SignatureDoesNotMatch"),
        ({"PRSM_X_BLOBS_KEY_ID": "wrong"}, "403 InvalidAccessKeyId"),
        ({"PRSM_X_BLOBS_REGION": "wrong"}, "400 AuthorizationHeaderMalformed"),
        ({"PRSM_X_BLOBS": "s3://wrong/x"}, "404 NoSuchBucket"),
    ],
)
async def test_what_the_store_refuses_stops_the_start(
    server: S3Server, environment: Environment, changes: dict[str, str], said: str
) -> None:
    environment(**changes)
    with pytest.raises(BadSettings) as error:
        await opened_blobs(from_environment(Settings))
    assert str(error.value).startswith("PRSM_X_BLOBS: s3://")
    assert f"at {server.endpoint}: the store refuses with {said}; see PRSM_X_BLOBS_KEY_ID, " in str(error.value)
    assert server.secret not in str(error.value)


async def test_one_that_does_not_answer_yet_does_not_stop_the_start(
    server: S3Server, environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(PRSM_X_BLOBS_ENDPOINT="http://127.0.0.1:1")
    await opened_blobs(from_environment(Settings))
    assert "ConnectionRefused" in capsys.readouterr().out
    environment()
    server.faults = [Fault("silent")]
    await opened_blobs(from_environment(Settings), within=0.05)
    blobs = await opened_blobs(from_environment(Settings))
    server.secret = "changed since"
    with pytest.raises(Unavailable):
        await blobs.put("key", b"1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PRSM_X_BLOBS_SECRET": ""}, "PRSM_X_BLOBS_KEY_ID and PRSM_X_BLOBS_SECRET belong together"),
        ({"PRSM_X_BLOBS_ENDPOINT": "minio:9000"}, "PRSM_X_BLOBS_ENDPOINT must be http:// or https:// and a host"),
        ({"PRSM_X_BLOBS_ENDPOINT": "http://minio/bucket"}, "PRSM_X_BLOBS_ENDPOINT must be"),
        ({"PRSM_X_BLOBS_ENDPOINT": "http://minio:port"}, "PRSM_X_BLOBS_ENDPOINT must be"),
        ({"PRSM_X_BLOBS_ENDPOINT": "https://me:secret@minio"}, "PRSM_X_BLOBS_ENDPOINT must be"),
        ({"PRSM_X_BLOBS_ENDPOINT": "https://minio?x"}, "PRSM_X_BLOBS_ENDPOINT must be"),
        ({"PRSM_X_BLOBS": "/var/lib/blobs"}, "can only be set where PRSM_X_BLOBS begins with s3://"),
    ],
)
async def test_settings_that_do_not_fit_together_are_refused(
    environment: Environment, changes: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(**changes)
    with pytest.raises(SystemExit):
        from_environment(Settings)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("location", "variables", "said"),
    [
        ("gs://bucket/prefix", {}, ""),
        ("az://container/prefix", {"AZURE_STORAGE_ACCOUNT_NAME": "account", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5"}, ""),
        ("az://container/prefix", {}, "Account must be specified"),
        ("gs://bucket", {"GOOGLE_SERVICE_ACCOUNT": "/none.json"}, "/none.json"),
        ("s3:///prefix", {}, "must be a directory, or s3://, gs:// or az:// with a name after it"),
        ("ftp://host/folder", {}, "must be a directory, or s3://, gs:// or az://"),
    ],
)
def test_the_other_clouds_are_opened_by_their_own_variables(
    location: str, variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(blobs=location)
    if said:
        with pytest.raises(BadSettings, match=f"^PRSM_X_BLOBS: .*{said}") as error:
            blobs_of(settings)
        assert "\n" not in str(error.value)
    else:
        assert str(blobs_of(settings)._store.prefix) == "prefix"  # type: ignore[union-attr]


async def test_an_authority_of_ones_own_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    files = TlsFolder(tmp_path, ours := Authority(), "127.0.0.1")
    # While one authority takes another's place both count.
    files.issue(ours, "127.0.0.1", trusted=(Authority("another"), ours))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.cert, files.key)
    async with S3Server(tls=context) as server:
        given = {
            "blobs": f"s3://{server.bucket}",
            "blobs_endpoint": server.endpoint,
            "blobs_region": server.region,
            "blobs_key_id": server.key_id,
            "blobs_secret": server.secret,
        }
        await (await opened_blobs(Settings.model_validate({**given, "blobs_ca": str(files.ca)}))).put("key", b"1")
        assert list(server.objects) == ["key"]
        with pytest.raises(BadSettings, match=r"its certificate is not trusted \(UnknownIssuer\); see .*BLOBS_CA"):
            await opened_blobs(Settings.model_validate(given))


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"PRSM_X_BLOBS_CA: /none\.pem: No such file"):
        blobs_of(Settings(blobs="s3://bucket", blobs_ca="/none.pem"))
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(BadSettings, match="PRSM_X_BLOBS: "):
        blobs_of(Settings(blobs="s3://bucket", blobs_ca=str(tmp_path / "ca.pem")))
