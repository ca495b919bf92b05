from __future__ import annotations

from services.session.observation import Watch


def test_time_counts_from_the_first_look_and_a_change_begins_it_anew() -> None:
    watch = Watch(2)
    assert watch.look(100, {"a": 1, "b": 1}) == {"a": 0, "b": 0}
    assert watch.look(101, {"a": 1, "b": 2}) == {"a": 1, "b": 0}
    assert watch.look(103, {"a": 1, "b": 2, "c": 1}) == {"a": 3, "b": 2, "c": 0}


def test_a_gap_counts_as_one_step_however_long_it_was() -> None:
    watch = Watch(2)
    watch.look(0, {"a": 1})
    assert watch.look(3_600, {"a": 1}) == {"a": 2}
    assert watch.look(3_601, {"a": 1}) == {"a": 3}


def test_what_is_gone_is_forgotten() -> None:
    watch = Watch(10)
    watch.look(0, {"a": 1})
    assert watch.look(5, {}) == {}
    assert watch.look(6, {"a": 1}) == {"a": 0}
