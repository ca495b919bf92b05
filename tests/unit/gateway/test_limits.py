from __future__ import annotations

from gateway.limits import RateLimiter, Verdict
from kit.times import ManualClock


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = ManualClock()
    limiter = RateLimiter(2.0, 3, clock)
    assert [limiter.take("a") for _ in range(4)] == [
        Verdict(True, 2, 0),
        Verdict(True, 1, 0),
        Verdict(True, 0, 1),
        Verdict(False, 0, 1),
    ]
    clock.advance(seconds=0.5)
    assert [limiter.take("a").allowed for _ in range(2)] == [True, False]


def test_principals_do_not_share_and_idle_ones_fill_up_to_the_burst() -> None:
    clock = ManualClock()
    limiter = RateLimiter(0.1, 2, clock)
    assert [limiter.take("a").allowed for _ in range(3)] == [True, True, False]
    assert limiter.take("b").allowed
    assert limiter.take("a").wait == 10
    clock.advance(seconds=3600)
    assert [limiter.take("a").allowed for _ in range(3)] == [True, True, False]
    assert limiter.policy == '"default";q=2;w=20'


def test_a_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    clock = ManualClock()
    limiter = RateLimiter(1.0, 2, clock)
    limiter.take("a")
    clock.jump(seconds=-60)
    assert limiter.take("a") == Verdict(True, 0, 1)
