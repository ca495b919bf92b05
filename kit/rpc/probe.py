"""Is a process healthy? `python -m kit.rpc.probe TARGET [SERVICE] ...`, for an image's health command.

A target is `host:port` of a gRPC health service, which may be asked for a SERVICE such as `liveness`, or an `http://`
URL. Exits with 0 when every one answers that it serves, else with 1 and a line each. A process that a probe starts
should be small: no generated code is loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

_CHECK = "/grpc.health.v1.Health/Check"
# grpc.health.v1.HealthCheckResponse{status: SERVING}
_SERVING = b"\x08\x01"
_LONGEST_NAME = 127
SECONDS = 2.0


def check(target: str, service: str = "", *, seconds: float = SECONDS) -> str:
    """Why the target is not healthy; "" when it is."""
    fault = _http(target, seconds) if target.startswith("http://") else _grpc(target, service, seconds)
    return f"{' '.join(filter(None, (target, service)))}: {fault}" if fault else ""


def _http(url: str, seconds: float) -> str:
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=seconds)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return "" if status == 200 else str(status)


def _grpc(target: str, service: str, seconds: float) -> str:
    import grpc

    name = service.encode()
    if len(name) > _LONGEST_NAME:
        return "the service's name is too long"
    # HealthCheckRequest{service}: field 1, a string.
    request = b"\x0a" + bytes([len(name)]) + name if name else b""
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_CHECK)
        try:
            answer = call(request, timeout=seconds)
        except grpc.RpcError as error:
            # Every error of a call is one; the base class alone does not say so.
            return error.code().name if isinstance(error, grpc.Call) else repr(error)
    return "" if answer == _SERVING else "not serving"


def asked(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Targets with the service that each is asked for: a word without a colon goes with the target before it."""
    found: list[tuple[str, str]] = []
    for word in arguments:
        if ":" not in word and found and not found[-1][1]:
            found[-1] = (found[-1][0], word)
        else:
            found.append((word, ""))
    return found


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    faults = [fault for target, service in asked(arguments) if (fault := check(target, service))]
    if not arguments:
        faults = ["usage: python -m kit.rpc.probe TARGET [SERVICE] ..."]
    sys.stderr.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
