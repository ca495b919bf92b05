"""Usage, reservations and settlements: pure functions of a session's figures.

What a session is charged are its finished stages: usage times the price it was created with, at most what was
reserved for the stage. The base price goes with the first of them. An interrupted stage is charged its last accepted
usage under the same cap; when it begins again under a new epoch its usage starts from nothing, so no work is charged
twice. What is lost by a fault of the platform is not charged.
"""

from __future__ import annotations

from collections.abc import Mapping

from kit.money import SCALE, times
from services.session.domain import BASE_ITEM, Charge, OnLimit, OpenStage, Policy, Price, Session

MOST_QUANTITY = 10**15
_NO_PRICE = Price("unit", 0)


def remaining(session: Session) -> int:
    """What of the hold is not charged yet."""
    return session.held - session.charged


def write_up_share(session: Session, policy: Policy) -> int:
    """What is set aside for writing up: a share of what work may cost. Nothing where the session rather fails."""
    if session.on_limit is OnLimit.FAIL:
        return 0
    base = session.prices.get(BASE_ITEM, _NO_PRICE).unit_price
    return times(max(0, session.held - base), round(policy.write_up_money * SCALE))


def reservation(session: Session, stage: str, policy: Policy) -> int:
    """What a stage may cost: what is left, but for the write-up share until writing up begins."""
    last = bool(session.plan) and session.plan[-1].stage == stage
    if session.write_up or last:
        return remaining(session)
    return max(0, remaining(session) - write_up_share(session, policy))


def available(session: Session) -> int:
    """What usage in the open stage may cost: its reservation, less the base price where that is charged with it."""
    if session.open_stage is None:
        return 0
    return max(0, session.open_stage.reserved - cost(session, billed(session, {})))


def accept(open_stage: OpenStage, reported: Mapping[str, int]) -> dict[str, int]:
    """Running totals never fall and stay within what a BIGINT can bear."""
    accepted = dict(open_stage.usage)
    for item, quantity in reported.items():
        accepted[item] = max(accepted.get(item, 0), min(max(quantity, 0), MOST_QUANTITY))
    return accepted


def billed(session: Session, usage: Mapping[str, int]) -> dict[str, int]:
    """The quantities to charge for a stage: with the base price if nothing was charged before."""
    base = {} if BASE_ITEM in session.usage or BASE_ITEM not in session.prices else {BASE_ITEM: SCALE}
    return {**base, **dict(sorted(usage.items()))}


def cost(session: Session, quantities: Mapping[str, int]) -> int:
    """What quantities cost by the session's own prices, without a cap."""
    return sum(times(session.prices.get(item, _NO_PRICE).unit_price, q) for item, q in quantities.items())


def charge(session: Session, stage: str, quantities: Mapping[str, int], cap: int) -> list[Charge]:
    """One charge for each item; together at most `cap`: what is above it is not asked for."""
    left = cap
    charges = []
    for item, quantity in quantities.items():
        price = session.prices.get(item, _NO_PRICE)
        amount = min(times(price.unit_price, quantity), left)
        left -= amount
        charges.append(Charge(stage, item, price.unit, quantity, price.unit_price, amount))
    return charges


def added(usage: Mapping[str, int], quantities: Mapping[str, int]) -> dict[str, int]:
    total = dict(usage)
    for item, quantity in quantities.items():
        total[item] = total.get(item, 0) + quantity
    return total


def spent(session: Session) -> int:
    """Charged, and what the open stage's accepted usage would cost, without a cap."""
    open_stage = session.open_stage
    if open_stage is None:
        return session.charged
    return session.charged + cost(session, billed(session, open_stage.usage))


def nearly_spent(session: Session, policy: Policy) -> bool:
    """Whether gathering must stop so that what is set aside for writing up is left."""
    if session.on_limit is OnLimit.FAIL:
        return False
    return spent(session) >= session.held - write_up_share(session, policy)


def total_usage(session: Session) -> Mapping[str, int]:
    """Of finished stages and of the open one."""
    if session.open_stage is None:
        return session.usage
    return added(session.usage, session.open_stage.usage)


def efficiency(session: Session, useful: int) -> float:
    """Useful running time over all the time that workers spent: `useful` is the running time of finished stages.

    efficiency = useful / (running + initializing); 0 before anything was finished. Lost attempts, stages that were
    run again and starting up count against it; queued and paused time, in which nobody worked, does not.
    """
    worked = session.running + session.initializing
    return min(1.0, useful / worked) if worked > 0 else 0.0
