"""What a run of the machine draws: steps with their arguments, some more often than others."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from tests.integration.session.model import commands as do
from tests.integration.session.model.believed import Plan
from tests.integration.session.model.figures import LEAST, S

HASHES = ("ab" * 32, "cd" * 32)
WHOLE: Plan = (("read", 1), ("think", 2), ("write", 1))

_owners = st.sampled_from(("ada", "bob", "eve"))
_workers = st.sampled_from(("w1", "w2", "w3"))
_engines = st.sampled_from(("research", "fixed"))
_asked = st.sampled_from((("research", "fixed"), ("fixed", "research"), ("research",), ("fixed",)))
_plans = st.sampled_from((WHOLE, WHOLE, (("read", 3), ("write", 1)), (("think", 1),)))
_usage = st.dictionaries(
    st.sampled_from(("document_read", "passage_read", "tokens_in")),
    st.sampled_from((0, 1, 250_000, 1 * S, 7 * S, 20 * S + 333_333, 60 * S, 400 * S)),
    max_size=2,
)
_shares = st.sampled_from((Fraction(0), Fraction(1, 4), Fraction(1, 2), Fraction(1)))
_limits = st.sampled_from((None, None, 2 * S, 3 * S + 77, LEAST, LEAST - 1))
_keys = st.sampled_from(("", "", "", "k1", "k2"))
_which = st.integers(0, 11)
"""Which of a list, from its end; round and round."""
_times = st.sampled_from((300_000, 1 * S, 2 * S, 5 * S, 7 * S, 62 * S, 5400 * S))
_set_by = st.sampled_from((-7200 * S - 7, -20 * S - 11, -3 * S - 13, 5 * S + 3, 9 * S + 1, 3600 * S + 5))
_outages = st.sampled_from((do.Outage(),) * 3 + (do.Outage(away=True), do.Outage(mute=True)))
_writes = st.sampled_from(("begin", "begin", "beat", "beat", "checkpoint", "checkpoint", "complete"))
_late = st.sampled_from(("start", "complete", "complete", "fail", "release", "beat", "checkpoint", "begin"))
_notes = st.tuples(st.sampled_from(("c1", "c2")), st.integers(1, 2))
_few = st.integers(0, 2)
_seldom = st.sampled_from((False, False, True))
_racers = st.integers(0, 8)


def _step(name: str, weight: int = 1, **arguments: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Any]]:
    return [st.tuples(st.just(name), st.fixed_dictionaries(arguments))] * weight


STEPS = st.one_of(
    *_step("create_more", owner=_owners, count=st.integers(1, 3), engine=_engines),
    *_step(
        "create", 3, owner=_owners, key=_keys, prompt=st.sampled_from("ab"), limit=_limits, finishes=st.booleans(),
        minutes=st.sampled_from((1, 60)), engine=_engines,
    ),
    *_step("take_turns", 1, first=_owners, second=_owners, engine=_engines),
    *_step("claim", 3, worker=_workers, engines=_asked, in_hand=st.sampled_from((0, 0, 1))),
    *_step("proceed", 5, which=_which, paces=st.lists(st.sampled_from((0, 1 * S, 1_700_000)), min_size=3, max_size=9),
           usage=_usage, twice=_seldom),
    *_step("finish", 3, which=_which, pace=st.sampled_from((0, 1 * S, 2 * S)), usage=_usage,
           twice=_seldom),
    *_step("start", 1, which=_which, plan=_plans, any_=st.booleans()),
    *_step("write", 5, which=_which, stage=st.none() | st.sampled_from(("read", "think", "write")), share=_shares,
           usage=_usage, hash_=st.sampled_from(HASHES), what=_writes, odd=st.integers(0, 9)),
    *_step("late", 3, which=_which, what=_late, thief=st.booleans()),
    *_step("overtaken", 3, which=_which, how=st.sampled_from(("release", "fail", "pause", "pause")), what=_late,
           hasty=st.booleans()),
    *_step("ended_under", 3, which=_which, verb=st.sampled_from(("Cancel", "Cancel", "Pause")), what=_late, then=_late),
    *_step("fail", 3, which=_few, retryable=st.booleans(), ours=st.booleans(), any_=st.booleans()),
    *_step("break_down", 2, which=_few, ours=st.booleans()),
    *_step("release", 1, which=_which, any_=st.booleans()),
    *_step("pause", 2, which=_which, key=_keys, state=st.sampled_from(("running",) * 2 + ("initializing", "queued"))),
    *_step("resume", 2, which=_which, key=_keys),
    *_step("control", 2, which=_which, verb=st.sampled_from(("Pause", "Resume", "Cancel")), key=_keys,
           stranger=st.integers(0, 9)),
    *_step("notes", 1, which=_few, told=st.lists(_notes, min_size=3, max_size=5)),
    *_step("wait", 2, micros=_times),
    *_step("sweep", 2, replica=st.integers(0, 1), rounds=st.sampled_from((1, 1, 2, 3))),
    *_step("lose", 1, replica=st.integers(0, 1)),
    *_step("overrun", 1, which=_few, beats=st.sampled_from((9, 10, 11, 11, 13))),
    *_step("last_attempt", 1, which=_few, replica=st.integers(0, 1)),
    *_step("set_clock", 2, micros=_set_by, rounds=st.integers(1, 2)),
    *_step("upset", 2, what=st.sampled_from(("billing", "billing", "restart")), how=_outages),
    *_step("race", 4, which=_which, racers=st.lists(_racers, min_size=2, max_size=3)),
    *_step("claim_at_once", 1, engines=_asked, count=st.integers(2, 3)),
    *_step("create_at_once", 1, owner=_owners, key=st.sampled_from(("k1", "k2", "k3")), other=st.booleans()),
    *_step("cancel_or_claim", 1, which=_which, engines=_asked),
)  # fmt: skip
"""The name of a method of Steps with its arguments; some come more often than others."""
