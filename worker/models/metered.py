"""A stage's language model: within its reservation, within its deadline, counted, and held to the form asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from kit.tasks import end
from worker.engines.base import ModelAnswer, ModelFailed, ModelRequest
from worker.models import metrics, tokens
from worker.models.allowance import Allowance
from worker.models.answers import value_of
from worker.models.endpoint import CallFailed, Completion, Endpoint
from worker.models.messages import Messages, messages_of
from worker.models.settings import ModelOptions
from worker.patience import Backoff
from worker.quantities import TOKENS_IN, TOKENS_OUT

log = structlog.get_logger("model")
_CALLS = 3
"""For one question, those that end before the endpoint has begun to work included."""
_STARTED_CALLS = 2
"""For one question, of those on which the endpoint has begun to work: they cost tokens."""
_LOOK = 0.25
"""Seconds between looks whether there is still time."""
_RESERVE = 192 + 1024
"""Tokens of the context that the frame around a prompt takes at most: roles, rules and the marks."""


class MeteredModel:
    """Implements :class:`worker.engines.base.LanguageModel` for one stage."""

    def __init__(
        self,
        endpoint: Endpoint,
        options: ModelOptions,
        *,
        allowance: Allowance,
        usage: Mapping[str, int],
        use: Callable[[str, int], None],
        late: Callable[[], bool] = lambda: False,
        seed: int = 0,
        backoff: Callable[[], Backoff] = Backoff,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`usage` is what the stage has used so far, `use` counts more; `late` is looked at now and then while a call
        is under way."""
        self._endpoint = endpoint
        self._options = options
        self._allowance = allowance
        self._usage = usage
        self._use = use
        self._late = late
        self._seed = seed
        self._backoff = backoff
        self._monotonic = monotonic

    @property
    def name(self) -> str:
        return self._options.name

    @property
    def most_prompt_bytes(self) -> int:
        """As if every byte were a token."""
        return max(0, self._options.context_tokens - self._options.most_tokens - _RESERVE)

    async def ask(self, request: ModelRequest) -> ModelAnswer:
        """Raises ModelFailed."""
        messages = messages_of(request, self._seed)
        most_out = min(request.most_tokens, self._options.most_tokens)
        began = self._monotonic()
        outcome = "failed"
        try:
            async with asyncio.timeout(self._options.seconds):
                answer = await self._in_time(self._asked(messages, most_out, began + self._options.seconds))
            outcome = "answered"
            return answer
        except TimeoutError:
            outcome = "timeout"
            raise ModelFailed("timeout", "The language model took longer than it may") from None
        except ModelFailed as error:
            outcome = error.code
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            metrics.CALLS.labels(outcome).inc()
            metrics.SECONDS.observe(self._monotonic() - began)
            log.info("asked", purpose=request.purpose, model=self.name, outcome=outcome)

    async def _in_time(self, asking: Coroutine[Any, Any, ModelAnswer]) -> ModelAnswer:
        """Give up when the session is to be written up: it would rather end without than not at all."""
        task = asyncio.create_task(asking, name="model")
        try:
            while not self._late():
                done, _ = await asyncio.wait({task}, timeout=_LOOK)
                if done:
                    return task.result()
        finally:
            await end([task])
        raise ModelFailed("late", "Time or budget is nearly spent")

    async def _asked(self, messages: Messages, most_out: int, until: float) -> ModelAnswer:
        most_in = tokens.most(messages)
        if most_in + most_out > self._options.context_tokens:
            raise ModelFailed("too_long", "The question is longer than the language model's context")
        backoff, started = self._backoff(), 0
        for number in range(1, _CALLS + 1):
            tally = _Tally(self._use, most_in, most_out, messages.size)
            most = {TOKENS_IN: most_in, TOKENS_OUT: most_out}
            with self._allowance.setting_aside(most, self._usage) as enough:
                if not enough:
                    raise ModelFailed(
                        "budget", "What is left of the budget does not cover a call of the language model"
                    )
                try:
                    completion = await self._call(messages, most_out, tally)
                except CallFailed as error:
                    started += tally.started
                    pause = backoff.pause() if error.after is None else error.after
                    late = self._monotonic() + pause >= until
                    if not error.passing or number == _CALLS or started >= _STARTED_CALLS or late:
                        raise
                else:
                    value = value_of(completion.text, messages.schema)
                    return ModelAnswer(value, tally.tokens_in, tally.tokens_out)
            log.info("asking again", after=round(pause, 2), purpose=messages.purpose)
            await asyncio.sleep(pause)
        raise AssertionError("the last call returns or raises")

    async def _call(self, messages: Messages, most_out: int, tally: _Tally) -> Completion:
        try:
            completion = await self._endpoint.complete(
                messages, most_tokens=most_out, seed=self._seed, progress=tally.came
            )
        except BaseException as error:
            # Cut, refused, late or cancelled: what the endpoint does not tell is counted as it can be estimated.
            tally.broken_off(getattr(error, "tokens", None) or (None, None))
            raise
        tally.finished((completion.tokens_in, completion.tokens_out))
        return completion


class _Tally:
    """Counts the tokens of one call, never more than was set aside for it, and never takes a token back."""

    def __init__(self, use: Callable[[str, int], None], most_in: int, most_out: int, prompt: int) -> None:
        self._use = use
        self._most_in = most_in
        self._most_out = most_out
        self._prompt = prompt
        self._answer = 0
        self.started = False
        self.tokens_in = 0
        self.tokens_out = 0

    def came(self, size: int) -> None:
        """So many bytes of the answer are there."""
        self.started = True
        self._answer = size
        self._count(tokens.certain(self._prompt), tokens.certain(size))

    def broken_off(self, told: tuple[int | None, int | None]) -> None:
        if self.started:
            self.finished(told)

    def finished(self, told: tuple[int | None, int | None]) -> None:
        """`told` is what the endpoint says that it took, in and out."""
        told_in, told_out = told
        self._count(
            tokens.usual(self._prompt) if told_in is None else told_in,
            tokens.usual(self._answer) if told_out is None else told_out,
        )

    def _count(self, tokens_in: int, tokens_out: int) -> None:
        more_in = min(tokens_in, self._most_in) - self.tokens_in
        more_out = min(tokens_out, self._most_out) - self.tokens_out
        if more_in > 0:
            self.tokens_in += more_in
            self._use(TOKENS_IN, more_in)
            metrics.TOKENS.labels("in").inc(more_in)
        if more_out > 0:
            self.tokens_out += more_out
            self._use(TOKENS_OUT, more_out)
            metrics.TOKENS.labels("out").inc(more_out)
