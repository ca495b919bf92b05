"""What billing counts. Amounts are in 10^-6 of the currency."""

from __future__ import annotations

from kit.telemetry.metrics import Counter

REFUSED = Counter(
    "prsm_billing_settlements_refused_total", "Settlements that contradict what is on record; somebody has to look."
)
REFUSED.prepare()
