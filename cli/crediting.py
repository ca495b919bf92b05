"""Adding funds over billing's gRPC, as an operator."""

from __future__ import annotations

import secrets

import grpc

from cli.errors import Refused
from cli.stack.datadir import DataDir
from cli.tokens import mint
from kit.money import InvalidAmount, show, typed
from kit.rpc.channels import open_channel
from kit.rpc.client import named
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc

_SECONDS = 10.0
_TOKEN_SECONDS = 60


async def add_funds(data: DataDir, user: str, amount: str, description: str = "") -> str:
    """Credit an account; the available amount with its currency. Raises Refused."""
    try:
        credited = typed(amount)
        if credited == 0:
            raise Refused('--amount must be greater than 0: write "50.00"')
    except InvalidAmount as error:
        raise Refused(f"--amount {error}") from error
    target = data.read_endpoints().get("billing", "")
    token = mint(data, "prsm-cli", scopes=("admin",), ttl=_TOKEN_SECONDS)
    request = ledger_pb2.CreditAccountRequest(
        user_id=user, amount=show(credited), description=description or "Funds added by the operator"
    )
    # The key makes the call safe to be sent again by gRPC itself.
    metadata = (("authorization", f"Bearer {token}"), ("idempotency-key", secrets.token_hex(16)))
    async with open_channel(target) as channel:
        stub = ledger_pb2_grpc.BillingAdminServiceStub(channel)
        try:
            answer = await stub.CreditAccount(request, timeout=_SECONDS, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise Refused(f"no stack answers at {target}: start it with prsm up", code=1) from error
            raise Refused(f"billing refused: {named(error, 'billing')}") from error
    return f"{answer.available} {answer.currency}"
