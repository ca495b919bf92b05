"""What a worker counts of its language model."""

from __future__ import annotations

from kit.telemetry.metrics import SLOW, Counter, Histogram

CALLS = Counter(
    "prsm_worker_model_questions_total", "Questions put to the language model, by how they ended.", ["outcome"]
)
SECONDS = Histogram("prsm_worker_model_question_duration_seconds", "Questions, repetitions included.", bounds=SLOW)
TOKENS = Counter("prsm_worker_model_tokens_total", "Tokens counted, by direction.", ["direction"])
