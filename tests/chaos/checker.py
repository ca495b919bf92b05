"""Proves from the databases, and from what clients were told, that nothing was lost, done twice or done by a stranger.

Each rule has a name; a verdict counts how many facts were held against it and lists each that is wrong, classed as
lost, duplicated, stale (written by who did not hold the session any more) or other. It wants a stack that has come to
rest: every journey over, events delivered.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.chaos.checks.answers import check_answers
from tests.chaos.checks.deliveries import check_deliveries
from tests.chaos.checks.histories import check_histories
from tests.chaos.checks.money import check_money
from tests.chaos.checks.queues import check_queues
from tests.chaos.checks.readings import check_readings, check_streams
from tests.chaos.checks.stages import check_stages
from tests.chaos.journal import Journal, requests_of
from tests.chaos.truth import Truth, read_truth
from tests.chaos.verdict import Problem, Verdict

__all__ = ["Problem", "Verdict", "check", "judge"]


async def check(databases: Mapping[str, str], journal: Journal) -> Verdict:
    """`databases` are the services' URLs by their names, as the services get them."""
    return judge(await read_truth(databases), journal)


def judge(truth: Truth, journal: Journal) -> Verdict:
    """The same for what was read already."""
    verdict = Verdict()
    requests = requests_of(journal)
    verdict.checked["requests"] = len(requests)
    verdict.checked["sessions"] = len(truth.sessions)
    check_histories(truth, verdict)
    check_stages(truth, verdict)
    check_money(truth, verdict)
    check_queues(truth, verdict)
    check_deliveries(truth, verdict)
    check_answers(truth, requests, verdict)
    check_readings(truth, requests, verdict)
    check_streams(truth, journal, verdict)
    return verdict
