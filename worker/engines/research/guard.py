"""Passages that speak to a language model instead of a reader."""

from __future__ import annotations

import re

from worker.engines.text.cleaning import cleaned

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|these|system)\b.{0,30}"
    r"\b(?:instruction|prompt|rule|message|direction|command)"
    r"|\b(?:system|developer)\s+(?:prompt|message)\b"
    r"|\byou are (?:now|an? (?:ai|language model|assistant|chatbot))\b"
    r"|\b(?:as|dear) an? (?:ai|language model|assistant)\b"
    r"|<\|?/?(?:im_start|im_end|system|user|assistant|inst)\|?>|\[/?INST\]",
    re.IGNORECASE,
)


def gives_orders(text: str) -> bool:
    """Whether a passage looks like one that gives a language model orders.

    It is withheld from the model, no more: a source that is about such attacks is quoted as any other. This is the
    outer fence; what holds is that no sentence stands that its quotes do not back.
    """
    # As the model would see it.
    return _ORDERS.search(cleaned(text)) is not None
