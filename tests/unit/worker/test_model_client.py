"""A stage's language model against a server that speaks its protocol, with all that can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from tests.support.model_server import ModelServer, Reply, model_server
from worker.engines.base import ModelFailed, ModelRequest
from worker.models import tokens
from worker.models.allowance import Allowance
from worker.models.client import OpenAIEndpoint
from worker.models.messages import messages_of
from worker.models.metered import MeteredModel
from worker.models.settings import ModelOptions
from worker.patience import Backoff

KEY = "sk-very-secret"
SCHEMA = {
    "type": "object",
    "properties": {"words": {"type": "array", "items": {"type": "string"}}},
    "required": ["words"],
    "additionalProperties": False,
}
REQUEST = ModelRequest("test", "Say the words.", "some data", SCHEMA, 200)
ANSWER = json.dumps({"words": ["one", "two"]})
PRICES = {"tokens_in": 1000, "tokens_out": 4000}
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as server:
        yield server


class Stage:
    """A stage's model, and what it counted."""

    def __init__(self, server: ModelServer, *, available: int = 10**9, url: str = "", **changes: object) -> None:
        options = ModelOptions(url or server.url, "m-1", KEY, "", 20.0, 10.0, 500, 8000, "json_schema", "max_tokens")
        self.options = replace(options, **changes)  # type: ignore[arg-type]
        self.usage: dict[str, int] = {}
        self.counted = asyncio.Event()
        self.late: Callable[[], bool] = lambda: False
        self.endpoint = OpenAIEndpoint(self.options, now=lambda: AT)
        self.model = MeteredModel(
            self.endpoint,
            self.options,
            allowance=Allowance(available, PRICES),
            usage=self.usage,
            use=self._use,
            late=lambda: self.late(),
            seed=7,
            backoff=lambda: Backoff(0.001, 0.001),
        )

    def _use(self, item: str, quantity: int) -> None:
        self.usage[item] = self.usage.get(item, 0) + quantity
        self.counted.set()

    async def failure(self, request: ModelRequest = REQUEST) -> ModelFailed:
        with pytest.raises(ModelFailed) as caught:
            await self.model.ask(request)
        await self.endpoint.close()
        assert KEY not in str(caught.value)
        return caught.value


async def test_an_answer_is_read_and_counted(server: ModelServer) -> None:
    server.replies = [Reply(ANSWER, usage=(321, 45))]
    stage = Stage(server)
    answer = await stage.model.ask(REQUEST)
    assert answer.value == {"words": ["one", "two"]}
    assert stage.usage == {"tokens_in": 321, "tokens_out": 45}
    (request,) = server.requests
    assert request["model"] == "m-1"
    assert (request["temperature"], request["seed"], request["max_tokens"]) == (0, 7, 200)
    assert request["stream"] is True
    assert request["stream_options"] == {"include_usage": True}
    assert request["response_format"]["json_schema"] == {"name": "answer", "strict": True, "schema": SCHEMA}
    await stage.endpoint.close()


async def test_only_our_own_headers_leave(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    server.answer = lambda _request: Reply(ANSWER)
    for key, sent in ((KEY, f"Bearer {KEY}"), ("", None)):
        stage = Stage(server, key=key)
        await stage.model.ask(REQUEST)
        await stage.endpoint.close()
        headers = {name.lower(): value for name, value in server.headers.pop().items()}
        assert headers.get("authorization") == sent
        names = {"host", "content-type", "content-length", "accept", "connection"}
        assert headers.keys() - {"authorization"} <= names | {"accept-encoding", "user-agent"}


async def test_the_same_question_is_the_same_request(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER)
    stage = Stage(server)
    await stage.model.ask(REQUEST)
    await stage.model.ask(REQUEST)
    await stage.endpoint.close()
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("form", ["json_object", "none"])
async def test_an_endpoint_without_structured_outputs_is_shown_the_schema(server: ModelServer, form: str) -> None:
    server.replies = [Reply(f"```json\n{ANSWER}\n```")]
    stage = Stage(server, form=form, limit="max_completion_tokens")
    assert (await stage.model.ask(REQUEST)).value == {"words": ["one", "two"]}
    await stage.endpoint.close()
    (request,) = server.requests
    assert json.dumps(SCHEMA) in request["messages"][0]["content"]
    assert request.get("response_format") == ({"type": "json_object"} if form == "json_object" else None)
    assert request["max_completion_tokens"] == 200


async def test_an_endpoint_that_samples_as_it_likes_is_not_told_how(server: ModelServer) -> None:
    server.replies = [Reply(ANSWER)]
    stage = Stage(server, sampling="default")
    await stage.model.ask(REQUEST)
    await stage.endpoint.close()
    assert not {"temperature", "seed"} & server.requests[0].keys()


async def test_a_call_ends_when_the_session_is_to_be_written_up(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER, hold=asyncio.Event())
    stage = Stage(server)
    stage.late = stage.counted.is_set
    assert (await stage.failure()).code == "late"
    await asyncio.wait_for(server.gone.wait(), 60)
    assert (await stage.failure()).code == "late"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("field", "reply"),
    [
        ("unauthorized", Reply(status=401)),
        ("unauthorized", Reply(status=403)),
        ("rejected", Reply(status=400)),
        ("rejected", Reply(status=302, headers={"Location": "http://127.0.0.1:9/v1"})),
        ("rejected", Reply(status=400, raw=b"x" * 800_000)),
        ("rejected", Reply(status=400, raw=b"not packed", headers={"Content-Encoding": "gzip"})),
        ("protocol", Reply(raw=b'{"choices": []}', content_type="application/json")),
        ("protocol", Reply(raw=b"<html>hello</html>", content_type="text/html")),
        ("protocol", Reply(raw=b"data: {not json\n\n")),
        ("protocol", Reply(raw=b"data: 5\n\n", headers={"Content-Encoding": "br"})),
        ("too_large", Reply("x" * 4000)),
        ("too_large", Reply(raw=b"data: " + b"x" * 800_000)),
        ("refused", Reply(refusal="I would rather not", usage=(9, 1))),
        ("refused", Reply(ANSWER, finish="content_filter")),
        ("cut_off", Reply('{"words": ["on', finish="length")),
        ("bad_json", Reply("Sure! Here are the words: one, two")),
        ("bad_json", Reply('{"words": [NaN]}')),
        ("bad_json", Reply("[" * 2000)),
        ("bad_schema", Reply('{"words": [1]}')),
        ("bad_schema", Reply('{"words": [], "more": 1}')),
        ("bad_schema", Reply("null")),
    ],
)
async def test_what_cannot_be_used_is_named_and_not_asked_again(server: ModelServer, field: str, reply: Reply) -> None:
    server.replies = [reply]
    server.answer = lambda _request: Reply(ANSWER)
    stage = Stage(server)
    assert (await stage.failure()).code == field
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=429, headers={"Retry-After": "0"}),
        Reply(status=429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"}),
        Reply(status=500),
        Reply(status=503),
        Reply('{"words": ["one", "tw', cut=True),
        Reply('{"words": ["one"', error=f"overloaded, your key is {KEY}"),
        Reply('{"words": []}', finish=None),
    ],
)
async def test_what_passes_is_asked_again(server: ModelServer, reply: Reply) -> None:
    server.replies = [reply, Reply(ANSWER)]
    stage = Stage(server)
    assert (await stage.model.ask(REQUEST)).value == {"words": ["one", "two"]}
    assert len(server.requests) == 2
    await stage.endpoint.close()


async def test_it_is_not_asked_for_ever(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(status=503)
    assert (await Stage(server).failure()).code == "unavailable"
    assert len(server.requests) == 3


async def test_an_answer_that_is_cut_twice_is_paid_twice_and_no_more(server: ModelServer) -> None:
    server.answer = lambda _request: Reply('{"words": ["one", "two", "three", "fo', cut=True)
    stage = Stage(server)
    assert (await stage.failure()).code == "interrupted"
    assert len(server.requests) == 2
    prompt = messages_of(REQUEST, 7).size
    assert stage.usage["tokens_in"] == 2 * tokens.usual(prompt)
    assert stage.usage["tokens_out"] % 2 == 0
    assert 0 < stage.usage["tokens_out"] <= 2 * tokens.usual(len(ANSWER) + 40)


async def test_a_wait_longer_than_the_deadline_is_not_begun(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(status=429, headers={"Retry-After": "3600"})
    assert (await Stage(server).failure()).code == "rate_limited"
    assert len(server.requests) == 1


async def test_nobody_there(server: ModelServer) -> None:
    assert (await Stage(server, url="http://127.0.0.1:9/v1").failure()).code == "unavailable"


async def test_a_silent_stream_is_given_up(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER, hold=asyncio.Event())
    assert (await Stage(server, idle=0.1).failure()).code == "timeout"
    assert len(server.requests) <= 2


async def test_the_deadline_is_for_all_repetitions(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER, hold=asyncio.Event())
    assert (await Stage(server, seconds=0.3).failure()).code == "timeout"
    # None where the machine is so busy that it has not got so far.
    assert len(server.requests) <= 1


async def test_without_usage_tokens_are_estimated(server: ModelServer) -> None:
    server.replies = [Reply(ANSWER, usage=None)]
    stage = Stage(server)
    await stage.model.ask(REQUEST)
    await stage.endpoint.close()
    prompt = messages_of(REQUEST, 7).size
    assert stage.usage == {"tokens_in": tokens.usual(prompt), "tokens_out": tokens.usual(len(ANSWER))}


async def test_no_more_is_counted_than_was_set_aside(server: ModelServer) -> None:
    server.replies = [Reply(ANSWER, usage=(10**9, 10**9))]
    stage = Stage(server)
    await stage.model.ask(REQUEST)
    await stage.endpoint.close()
    assert stage.usage == {"tokens_in": tokens.most(messages_of(REQUEST, 7)), "tokens_out": 200}


async def test_refusals_count_what_the_endpoint_tells(server: ModelServer) -> None:
    server.replies = [Reply(refusal="no", usage=(700, 3))]
    stage = Stage(server)
    await stage.failure()
    assert stage.usage == {"tokens_in": 700, "tokens_out": 3}


async def test_no_call_is_made_that_the_reservation_does_not_cover(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER)
    most = {"tokens_in": tokens.most(messages_of(REQUEST, 7)), "tokens_out": 200}
    # One more for each item: what is left over from rounding.
    needed = Allowance(0, PRICES).cost(most) + 2
    stage = Stage(server, available=needed - 1)
    assert (await stage.failure()).code == "budget"
    assert (server.requests, stage.usage) == ([], {})
    await Stage(server, available=needed).model.ask(REQUEST)
    assert len(server.requests) == 1


async def test_a_second_call_needs_money_of_its_own(server: ModelServer) -> None:
    server.answer = lambda _request: Reply('{"words": ["one", "tw', cut=True)
    most = {"tokens_in": tokens.most(messages_of(REQUEST, 7)), "tokens_out": 200}
    stage = Stage(server, available=Allowance(0, PRICES).cost(most) + 2)
    assert (await stage.failure()).code == "budget"
    assert len(server.requests) == 1


async def test_a_question_longer_than_the_context_is_not_put(server: ModelServer) -> None:
    stage = Stage(server)
    long = replace(REQUEST, data="x" * (stage.model.most_prompt_bytes + 2000))
    assert (await stage.failure(long)).code == "too_long"
    assert not server.requests


async def test_cancelling_leaves_the_endpoint_and_counts_what_came(server: ModelServer) -> None:
    server.answer = lambda _request: Reply(ANSWER, hold=asyncio.Event())
    stage = Stage(server)
    asking = asyncio.create_task(stage.model.ask(REQUEST))
    await stage.counted.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(server.gone.wait(), 60)
    assert stage.usage["tokens_in"] == tokens.usual(messages_of(REQUEST, 7).size)
    await stage.endpoint.close()


def test_the_key_is_in_no_text(server: ModelServer) -> None:
    assert KEY not in repr(Stage(server).options)
