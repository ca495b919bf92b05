"""The way of every call through a service: credentials, rule, decoding, validation, idempotency, servicer, errors.

It is wrapped around each method when the server is built, so the hot path walks no chain of interceptors. A servicer
is a class with one coroutine (or async generator, for streams) per RPC, `(request, call)`; it translates and raises
named errors, and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, NoReturn

import grpc
import structlog
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from kit.auth.grants import GrantVerifier
from kit.auth.internal import CallerVerifier
from kit.auth.tokens import TokenVerifier
from kit.db.idempotency import IdempotencyStore, Replay
from kit.errors import DeadlineExceeded, Fault, PrsmError, ValidationError
from kit.ids import Ids
from kit.levels import Level
from kit.rpc.admission import Admission
from kit.rpc.breaking import UNREADABLE, must_break
from kit.rpc.call import Call
from kit.rpc.observe import UNEXPECTED, CallWatch, MethodWatch
from kit.rpc.reasons import STATUS_KEY, refusal
from kit.rpc.rules import MethodRule, rule_of
from kit.rpc.validation import RequestValidator, with_nul
from kit.times import Clock

log = structlog.get_logger("rpc")
Context = Any  # grpc.aio.ServicerContext, whose stubs lack what is used here
OwnRules = Callable[[Any], Iterable[Fault]]
Admit = Callable[[str, Call], Awaitable[None]]
_OF_SESSIONS = frozenset({Level.VIEW, Level.EDIT, Level.COLLABORATE, Level.OWNER})
_MOST_DRAINED = 64 * 1024 * 1024
_DRAIN_SECONDS = 5.0


class Pipeline:
    """Turns servicers into gRPC handlers."""

    def __init__(
        self,
        *,
        users: TokenVerifier,
        internal: CallerVerifier,
        grants: GrantVerifier | None,
        idempotency: IdempotencyStore | None,
        clock: Clock,
        ids: Ids,
        own_idempotency: frozenset[str] = frozenset(),
        access_at_info: bool = False,
    ) -> None:
        """`own_idempotency` names methods whose servicers handle the key themselves. Each call leaves a line in the
        log, at level debug unless `access_at_info`."""
        self._admission = Admission(users, internal, grants)
        self._at_info = access_at_info
        self._idempotency = idempotency
        self._clock = clock
        self._ids = ids
        self._own = own_idempotency
        self._validator = RequestValidator()

    def handler(self, service: ServiceDescriptor, servicer: object) -> grpc.GenericRpcHandler:
        """Handlers for every method of a service. Raises MissingRule, AttributeError for a method without code.

        A servicer may have `faults_<Method>(request)` for a unary method: what it finds wrong is told together with
        what breaks the rules in the proto. One with methods on a session that take an Idempotency-Key must have
        `admit(session_id, call)`, which raises where the caller lacks the call's level: a share may have been revoked
        since the answer that would be given again.
        """
        methods = {m.name: self._method(m, servicer) for m in service.methods}
        return grpc.method_handlers_generic_handler(service.full_name, methods)

    def _method(self, descriptor: MethodDescriptor, servicer: object) -> grpc.RpcMethodHandler[Any, Any]:
        function: Callable[..., Any] = getattr(servicer, descriptor.name)
        rule = rule_of(descriptor)
        name = f"{descriptor.containing_service.full_name}/{descriptor.name}"
        watch = MethodWatch(name, rule, descriptor, at_info=self._at_info)
        request_class = GetMessageClass(descriptor.input_type)
        if descriptor.client_streaming and descriptor.server_streaming:
            behaviour: Any = self._streams(watch, rule, request_class, function)
            return grpc.stream_stream_rpc_method_handler(behaviour, None, _serialize)
        if descriptor.client_streaming:
            behaviour = self._stream_in(watch, rule, request_class, function)
            return grpc.stream_unary_rpc_method_handler(behaviour, None, _serialize)
        if descriptor.server_streaming:
            behaviour = self._stream_out(watch, rule, request_class, function)
            return grpc.unary_stream_rpc_method_handler(behaviour, None, _serialize)
        response_class = GetMessageClass(descriptor.output_type)
        own = _own_rules(servicer, f"faults_{descriptor.name}")
        admit = self._admit(name, rule, servicer)
        behaviour = self._unary(watch, rule, request_class, response_class, function, own, admit)
        return grpc.unary_unary_rpc_method_handler(behaviour, None, _serialize)

    def _admit(self, name: str, rule: MethodRule, servicer: Any) -> Admit | None:
        kept = rule.idempotency_key and name not in self._own
        admit: Admit | None = servicer.admit if kept and rule.level in _OF_SESSIONS else None
        return admit

    def _call(self, name: str, rule: MethodRule, context: Context) -> Call:
        metadata = {k: v for k, v in context.invocation_metadata() or () if isinstance(v, str)}
        return Call(name, metadata.get("x-request-id", "")[:128] or self._ids.new(), rule.level, metadata)

    def _decode(self, request_class: type[Message], data: bytes, own: OwnRules | None = None) -> Message:
        try:
            message = request_class.FromString(data)
        except DecodeError as error:
            raise ValidationError([Fault("", "the message cannot be decoded")]) from error
        faults = self._validator.faults(message)
        if own is not None:
            faults.extend(own(message))
        if faults:
            raise ValidationError(faults)
        # A quick look first: most messages have no zero byte at all.
        if b"\0" in data and request_class is not HttpBody:
            faults = with_nul(message)
            if faults:
                raise ValidationError(faults)
        return message

    def _unary(
        self,
        watch: MethodWatch,
        rule: MethodRule,
        request_class: type[Message],
        response_class: type[Message],
        function: Callable[[Any, Call], Awaitable[Message]],
        own: OwnRules | None,
        admit: Admit | None,
    ) -> Callable[[bytes, Context], Awaitable[Message]]:
        status = str(rule.success_status) if rule.success_status != 200 else ""

        async def behaviour(data: bytes, context: Context) -> Message:
            call = self._call(watch.name, rule, context)
            seen = watch.begin(call)
            try:
                await self._admission.admit(call, rule)
                request = self._decode(request_class, data, own)
                seen.asked(request)
                if call.idempotency_key and self._idempotency is not None and watch.name not in self._own:
                    response = await self._once(self._idempotency, call, request, response_class, function, admit)
                else:
                    response = await function(request, call)
                if status or call.status or call.location or call.headers:
                    await context.send_initial_metadata(_initial(status, call))
                seen.answered(response)
                return response
            except Exception as error:
                await self._refuse(call, seen, error, context)
            finally:
                seen.end()

        return behaviour

    async def _once(
        self,
        store: IdempotencyStore,
        call: Call,
        request: Message,
        response_class: type[Message],
        function: Callable[[Any, Call], Awaitable[Message]],
        admit: Admit | None,
    ) -> Message:
        fingerprint = fingerprint_of(call.method, request)
        begun = await store.begin(call.principal.user_id, call.method, call.idempotency_key, fingerprint)
        if isinstance(begun, Replay):
            if admit is not None:
                session: Any = request
                await admit(session.session_id, call)
            call.location = begun.location
            return response_class.FromString(begun.response)
        call.ticket = begun
        async with store.held(begun):
            response = await function(request, call)
        await store.close(begun, response.SerializeToString(), call.location)
        return response

    def _stream_out(
        self,
        watch: MethodWatch,
        rule: MethodRule,
        request_class: type[Message],
        function: Callable[..., AsyncIterator[Message]],
    ) -> Callable[[bytes, Context], AsyncIterator[Message | bytes]]:
        async def behaviour(data: bytes, context: Context) -> AsyncIterator[Message | bytes]:
            call = self._call(watch.name, rule, context)
            seen = watch.begin(call)
            try:
                await self._admission.admit(call, rule)
                request = self._decode(request_class, data)
                seen.asked(request)
                async for message in self._flow(function(request, call), rule, call, context):
                    yield message
                seen.code = "OK"
            except Exception as error:
                await self._refuse(call, seen, error, context)
            finally:
                seen.end()

        return behaviour

    def _streams(
        self,
        watch: MethodWatch,
        rule: MethodRule,
        request_class: type[Message],
        function: Callable[..., AsyncIterator[Message]],
    ) -> Callable[[Any, Context], AsyncIterator[Message | bytes]]:
        async def behaviour(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Message | bytes]:
            call = self._call(watch.name, rule, context)
            seen = watch.begin(call)
            try:
                await self._admission.admit(call, rule)
                decoded = self._decoded(request_class, requests)
                async for message in self._flow(function(decoded, call), rule, call, context):
                    yield message
                seen.code = "OK"
            except Exception as error:
                await _drain(requests)
                await self._refuse(call, seen, error, context)
            finally:
                seen.end()

        return behaviour

    def _stream_in(
        self,
        watch: MethodWatch,
        rule: MethodRule,
        request_class: type[Message],
        function: Callable[..., Awaitable[Message]],
    ) -> Callable[[Any, Context], Awaitable[Message]]:
        async def behaviour(requests: AsyncIterator[bytes], context: Context) -> Message:
            call = self._call(watch.name, rule, context)
            seen = watch.begin(call)
            try:
                await self._admission.admit(call, rule)
                response = await function(self._decoded(request_class, requests), call)
                seen.answered(response)
                return response
            except Exception as error:
                await _drain(requests)
                await self._refuse(call, seen, error, context)
            finally:
                seen.end()

        return behaviour

    async def _decoded(self, request_class: type[Message], requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for data in requests:
            yield self._decode(request_class, data)

    @staticmethod
    async def _flow(
        messages: AsyncIterator[Message], rule: MethodRule, call: Call, context: Context
    ) -> AsyncIterator[Message | bytes]:
        first, is_file = True, False
        status = str(rule.success_status) if rule.success_status != 200 else ""
        try:
            async for message in messages:
                if first:
                    # Headers leave only now: an error before the first message must be trailers-only.
                    first, is_file = False, isinstance(message, HttpBody)
                    await context.send_initial_metadata(_initial(status, call))
                yield message
        except Exception:
            if is_file and must_break(call.metadata):
                yield UNREADABLE
            raise

    async def _refuse(self, call: Call, seen: CallWatch, error: Exception, context: Context) -> NoReturn:
        name, request_id = call.method, call.request_id
        if isinstance(error, grpc.aio.AbortError):
            raise error
        if isinstance(error, TimeoutError):
            error = DeadlineExceeded()
        if not isinstance(error, PrsmError):
            UNEXPECTED.inc()
            log.error("unexpected error", method=name, request_id=request_id, exc_info=error)
            error = PrsmError()
        elif isinstance(error.__cause__, Exception) and error.name in ("UNAVAILABLE", "INTERNAL"):
            log.warning("refused", method=name, request_id=request_id, reason=error.name, cause=repr(error.__cause__))
        answer = refusal(error, now=self._clock.now(), request_id=request_id)
        seen.code = answer.code.name
        await context.abort(answer.code, answer.message, answer.trailing)
        raise error  # abort has raised already; this tells the type checker


async def _drain(requests: AsyncIterator[bytes]) -> None:
    """Take what the caller is still sending before it is refused: grpcio's clients, the gateway's among them, report
    a fault of their own instead of the answer when a call ends while they write."""
    left = _MOST_DRAINED
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for data in requests:
                left -= len(data)
                if left < 0:
                    return
    except Exception as error:
        log.debug("not drained", cause=repr(error))


def _initial(status: str, call: Call) -> tuple[tuple[str, str], ...]:
    status = str(call.status) if call.status else status
    pairs = [(STATUS_KEY, status)] if status else []
    if call.location:
        pairs.append(("location", call.location))
    pairs.extend(call.headers.items())
    return tuple(pairs)


def _own_rules(servicer: object, name: str) -> OwnRules | None:
    return getattr(servicer, name) if hasattr(type(servicer), name) else None


def _serialize(message: Message | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.SerializeToString()


def fingerprint_of(method: str, request: Message) -> str:
    """What makes two requests the same: the RPC and the whole decoded message."""
    data = request.SerializeToString(deterministic=True)
    return hashlib.sha256(method.encode() + b"\0" + data).hexdigest()
