"""Points at which a process can die: around every call of a port, inside and around every unit of work, and at every
suspension of a coroutine. They are counted as they are passed; at one of them the process kills itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from sqlalchemy import Connection

from kit.db.database import Database

T = TypeVar("T")
# Engines are many and short-lived here: what one has compiled serves the others, and forked processes too.
_COMPILED: dict[Any, Any] = {}


class Points:
    """Counts points from 1. At number `deadly` the process dies by SIGKILL; 0 is none."""

    def __init__(self, deadly: int = 0) -> None:
        self.passed: list[str] = []
        self._deadly = deadly

    def at(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class DeadlyDatabase:
    """A database whose every unit of work has three points: before it, inside when all is written and nothing is
    committed, and when it is committed and nobody knows yet."""

    def __init__(self, inner: Database, name: str, points: Points) -> None:
        self._inner = inner
        self._name = name
        self._points = points
        self.dialect = inner.dialect

    async def write(self, fn: Callable[[Connection], T]) -> T:
        points, name = self._points, self._name

        def work(connection: Connection) -> T:
            value = fn(connection.execution_options(compiled_cache=_COMPILED))
            points.at(f"{name}: before the commit")
            return value

        points.at(f"{name}: before a unit of work")
        value = await self._inner.write(work)
        points.at(f"{name}: after the commit")
        return value

    async def read(self, fn: Callable[[Connection], T]) -> T:
        # Who only looks leaves what was there before.
        return await self._inner.read(lambda db: fn(db.execution_options(compiled_cache=_COMPILED)))

    async def scan(self, fn: Callable[[Connection], T]) -> T:
        return await self._inner.scan(fn)

    def on_commit(self, listener: Callable[[], None]) -> None:
        self._inner.on_commit(listener)

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()


class DeadlyPort:
    """Any port, with a point before and after each of its calls."""

    def __init__(self, inner: object, name: str, points: Points) -> None:
        self._inner = inner
        self._name = name
        self._points = points

    def __getattr__(self, method: str) -> Any:
        function = getattr(self._inner, method)

        async def call(*given: Any, **named: Any) -> Any:
            self._points.at(f"before {self._name}.{method}")
            value = await function(*given, **named)
            self._points.at(f"after {self._name}.{method}")
            return value

        return call


class Suspensions:
    """A coroutine with a point wherever it hands control to the event loop, and wherever it gets it back."""

    def __init__(self, inner: Coroutine[Any, Any, T], points: Points) -> None:
        self._inner = inner
        self._points = points

    def __await__(self) -> Generator[Any, Any, Any]:
        resume: Callable[[], Any] = lambda: self._inner.send(None)  # noqa: E731
        while True:
            try:
                awaited = resume()
            except StopIteration as end:
                return end.value
            self._points.at("suspended")
            try:
                sent = yield awaited
            except BaseException as error:
                resume = _throwing(self._inner, error)
            else:
                resume = _sending(self._inner, sent)
            self._points.at("resumed")


def _sending(inner: Coroutine[Any, Any, Any], value: Any) -> Callable[[], Any]:
    return lambda: inner.send(value)


def _throwing(inner: Coroutine[Any, Any, Any], error: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(error)
