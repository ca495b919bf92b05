"""An endpoint that speaks the OpenAI chat protocol, through the `openai` package.

Loading that package costs about a second of CPU: it is done after the worker is ready, or with the first question, in a
thread.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from worker.models.endpoint import CallFailed, Completion, Progress
from worker.models.messages import Messages
from worker.models.settings import ModelOptions

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_BYTES_PER_TOKEN = 16
"""The most that an answer's text is taken to have for each token it was asked to have at most."""
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_SCHEMA_NAME = "answer"


class OpenAIEndpoint:
    """Implements :class:`worker.models.endpoint.Endpoint`. Connections are kept for the process's life."""

    def __init__(self, options: ModelOptions, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._options = options
        self._now = now
        self._client: AsyncOpenAI | None = None
        self._loading = asyncio.Lock()

    async def complete(self, messages: Messages, *, most_tokens: int, seed: int, progress: Progress) -> Completion:
        """Raises CallFailed."""
        client = await self.load()
        import openai

        from worker.models.transport import WrongAnswer

        answer = _Answer(most_tokens * _BYTES_PER_TOKEN, progress)
        try:
            stream = await client.chat.completions.create(**self._request(messages, most_tokens, seed))
            async with stream:
                answer.begun()
                async for chunk in stream:
                    answer.add(chunk)
            return answer.completion()
        except CallFailed:
            raise
        except openai.APIStatusError as error:
            raise self._refusal(error.status_code, error.response.headers) from None
        except openai.APITimeoutError:
            raise CallFailed("timeout", "The language model was silent for too long", passing=True) from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, WrongAnswer):
                raise CallFailed(error.__cause__.code, str(error.__cause__)) from None
            if answer.started:
                raise CallFailed("interrupted", "The language model's answer was cut off", passing=True) from None
            raise CallFailed("unavailable", "The language model could not be reached", passing=True) from None
        except openai.APIError:
            # An error in the middle of a stream. What the endpoint says of it is not passed on: it may quote the key.
            raise CallFailed("interrupted", "The language model broke its answer off", passing=True) from None
        except Exception as error:
            # What is not the protocol surfaces as whatever the package stumbles over.
            raise CallFailed("protocol", "The answer was not in the protocol of the endpoint") from error

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def load(self) -> AsyncOpenAI:
        """The client; the first time it takes a second or so."""
        async with self._loading:
            if self._client is None:
                self._client = await asyncio.to_thread(_client, self._options)
            return self._client

    def _request(self, messages: Messages, most_tokens: int, seed: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._options.name,
            "messages": [
                {"role": "system", "content": self._system(messages)},
                {"role": "user", "content": messages.user},
            ],
            self._options.limit: most_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._options.sampling == "fixed":
            request |= {"temperature": 0, "seed": seed}
        if self._options.form == "json_schema":
            schema = {"name": _SCHEMA_NAME, "strict": True, "schema": dict(messages.schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self._options.form == "json_object":
            request["response_format"] = {"type": "json_object"}
        return request

    def _system(self, messages: Messages) -> str:
        if self._options.form == "json_schema":
            return messages.system
        return f"{messages.system}\nThe JSON Schema of the answer:\n{json.dumps(messages.schema)}\n"

    def _refusal(self, status: int, headers: Mapping[str, str]) -> CallFailed:
        """Of a status. The body is not looked at: it may quote the key."""
        if status in (401, 403):
            return CallFailed("unauthorized", f"The language model's endpoint refused the credentials ({status})")
        if status in _PASSING:
            code, verb = ("rate_limited", "limits requests") if status == 429 else ("unavailable", "failed")
            after = self._after(headers.get("retry-after", ""))
            return CallFailed(code, f"The language model's endpoint {verb} ({status})", passing=True, after=after)
        return CallFailed("rejected", f"The language model's endpoint rejected the request ({status})")

    def _after(self, said: str) -> float | None:
        """Seconds to wait by a `Retry-After` header (RFC 9110, 10.2.3): a number of seconds or a date."""
        try:
            seconds = float(said)
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(said) - self._now()).total_seconds()
            except (ValueError, TypeError):
                return None
        return max(0.0, seconds) if math.isfinite(seconds) else None


class _Answer:
    """Puts an answer together from its chunks, whose fields may be of any type: nothing checks them before."""

    def __init__(self, most_bytes: int, progress: Progress) -> None:
        self._most = most_bytes
        self._progress = progress
        self._parts: list[str] = []
        self._size = 0
        self._refused = False
        self._finish = ""
        self._tokens: tuple[int | None, int | None] = (None, None)
        self.started = False

    def begun(self) -> None:
        self.started = True
        self._progress(0)

    def add(self, chunk: Any) -> None:
        """Raises CallFailed: `too_large`."""
        usage = getattr(chunk, "usage", None)
        if usage is not None:
            self._tokens = (
                _count(getattr(usage, "prompt_tokens", None)),
                _count(getattr(usage, "completion_tokens", None)),
            )
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return
        choice = choices[0]
        delta = getattr(choice, "delta", None)
        content = getattr(delta, "content", None)
        if isinstance(content, str) and content:
            self._parts.append(content)
            self._size += len(content.encode(errors="replace"))
            if self._size > self._most:
                raise CallFailed("too_large", "The answer was longer than it was asked to be")
            self._progress(self._size)
        self._refused = self._refused or bool(getattr(delta, "refusal", None))
        finish = getattr(choice, "finish_reason", None)
        if isinstance(finish, str):
            self._finish = finish

    def completion(self) -> Completion:
        """Raises CallFailed: `refused`, `cut_off`, `interrupted`, `protocol`."""
        if self._refused or self._finish == "content_filter":
            raise self._counted("refused", "The language model declined to answer")
        if self._finish == "length":
            raise self._counted("cut_off", "The answer did not end within the tokens it was given")
        if not self._finish:
            raise CallFailed("interrupted", "The language model's answer was cut off", passing=True)
        return Completion("".join(self._parts), *self._tokens)

    def _counted(self, code: str, message: str) -> CallFailed:
        """A failure whose tokens the endpoint has told."""
        failure = CallFailed(code, message)
        failure.tokens = self._tokens
        return failure


def _client(options: ModelOptions) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI

    from worker.models.transport import Transport

    return AsyncOpenAI(
        # The transport sends the key; without one the package would look for one of its own in the environment.
        api_key="unset",
        admin_api_key="",
        base_url=options.url,
        max_retries=0,
        http_client=httpx2.AsyncClient(
            transport=Transport(options.key, options.ca, options.most_tokens),
            timeout=httpx2.Timeout(options.idle, connect=min(10.0, options.idle)),
            follow_redirects=False,
            trust_env=False,
        ),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
