"""Adding funds over billing's gRPC, as an operator."""

from __future__ import annotations

import secrets

from cli.errors import Refused
from cli.operator import ask
from cli.stack.datadir import DataDir
from kit.money import InvalidAmount, show, typed
from prsm.billing.v1 import ledger_pb2, ledger_pb2_grpc


async def add_funds(data: DataDir, user: str, amount: str, description: str = "") -> str:
    """Credit an account; the available amount with its currency. Raises Refused."""
    try:
        # What is below 0 is told the same as 0: no amount has a sign, and its form is not what is wrong with it.
        credited = typed(amount.strip().removeprefix("-"))
        if credited == 0 or amount.strip().startswith("-"):
            raise Refused('--amount must be greater than 0: write "50.00"')
    except InvalidAmount as error:
        raise Refused(f"--amount {error}") from error
    request = ledger_pb2.CreditAccountRequest(
        user_id=user, amount=show(credited), description=description or "Funds added by the operator"
    )
    # The key makes the call safe to be sent again by gRPC itself.
    key = secrets.token_hex(16)
    answer = await ask(data, "billing", ledger_pb2_grpc.BillingAdminServiceStub, "CreditAccount", request, key=key)
    return f"{answer.available} {answer.currency}"
