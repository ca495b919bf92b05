"""The forward pass of BERT (Devlin et al., 2019) in numpy: enough to turn texts into vectors, nothing to train.

Layout and names of the weights are those of the published checkpoints (`encoder.layer.0.attention.self.query.weight`
and so on); normalisation comes after each residual sum, the activation is the exact GELU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]
Numbers = NDArray[np.int64]
_HIDDEN_FROM = np.float32(-1e9)


class ModelInvalid(Exception):
    """The weights are not those of the model that the configuration describes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the configuration says: layers, attention heads, and the ε under the root of a normalisation."""

    layers: int
    heads: int
    epsilon: float


class Bert:
    """Vectors of texts: the mean over a text's tokens of the last layer, of length 1."""

    def __init__(self, weights: Mapping[str, Singles], shape: Shape) -> None:
        """Raises ModelInvalid when a weight is missing or of another kind."""
        names = list(_wanted(shape.layers))
        missing = [name for name in names if name not in weights]
        if missing:
            raise ModelInvalid(f"no weight {missing[0]}")
        self._weights = {
            name: np.ascontiguousarray(weights[name].T if _is_matrix(name) else weights[name], dtype=np.float32)
            for name in names
        }
        self._shape = shape
        self.width = int(self._weights["embeddings.word_embeddings.weight"].shape[1])
        self.longest = int(self._weights["embeddings.position_embeddings.weight"].shape[0])
        if self.width % shape.heads:
            raise ModelInvalid("the heads do not share the width evenly")

    def vectors(self, tokens: Numbers, mask: NDArray[np.bool_]) -> Singles:
        """Of token numbers (texts × places) and which of them are no padding, the vectors (texts × width)."""
        weights = self._weights
        state = weights["embeddings.word_embeddings.weight"][tokens]
        state = state + weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        state += weights["embeddings.token_type_embeddings.weight"][0]
        state = self._normalised(state, "embeddings.LayerNorm")
        hidden = np.where(mask, np.float32(0), _HIDDEN_FROM)[:, None, None, :]
        for number in range(self._shape.layers):
            layer = f"encoder.layer.{number}"
            mixed = self._attended(state, hidden, f"{layer}.attention.self")
            mixed = self._dense(mixed, f"{layer}.attention.output.dense")
            mixed += state
            state = self._normalised(mixed, f"{layer}.attention.output.LayerNorm")
            wide = _gelu(self._dense(state, f"{layer}.intermediate.dense"))
            wide = self._dense(wide, f"{layer}.output.dense")
            wide += state
            state = self._normalised(wide, f"{layer}.output.LayerNorm")
        kept = mask[:, :, None].astype(np.float32)
        mean = (state * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), np.float32(1))
        return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12), dtype=np.float32)

    def _attended(self, state: Singles, hidden: Singles, name: str) -> Singles:
        texts, places, width = state.shape
        heads = self._shape.heads
        size = width // heads

        def split(part: str) -> Singles:
            flat = self._dense(state, f"{name}.{part}").reshape(texts, places, heads, size)
            return np.ascontiguousarray(flat.transpose(0, 2, 1, 3))

        query, key, value = split("query"), split("key"), split("value")
        weights = query @ key.transpose(0, 1, 3, 2)
        weights *= np.float32(1 / sqrt(size))
        weights += hidden
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = np.ascontiguousarray((weights @ value).transpose(0, 2, 1, 3)).reshape(texts, places, width)
        return np.asarray(mixed, dtype=np.float32)

    def _dense(self, state: Singles, name: str) -> Singles:
        flat = state.reshape(-1, state.shape[-1]) @ self._weights[f"{name}.weight"]
        flat += self._weights[f"{name}.bias"]
        return np.asarray(flat.reshape(*state.shape[:-1], -1), dtype=np.float32)

    def _normalised(self, state: Singles, name: str) -> Singles:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self._shape.epsilon))
        centred /= spread
        centred *= self._weights[f"{name}.weight"]
        centred += self._weights[f"{name}.bias"]
        return np.asarray(centred, dtype=np.float32)


def _gelu(state: Singles) -> Singles:
    from scipy.special import erf  # the service starts without it

    bent: Singles = erf(state * np.float32(1 / sqrt(2)))
    bent += np.float32(1)
    bent *= state
    bent *= np.float32(0.5)
    return bent


def _wanted(layers: int) -> list[str]:
    names = [f"embeddings.{part}_embeddings.weight" for part in ("word", "position", "token_type")]
    names += ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    for number in range(layers):
        for part in (
            "attention.self.query",
            "attention.self.key",
            "attention.self.value",
            "attention.output.dense",
            "attention.output.LayerNorm",
            "intermediate.dense",
            "output.dense",
            "output.LayerNorm",
        ):
            names += [f"encoder.layer.{number}.{part}.{kind}" for kind in ("weight", "bias")]
    return names


def _is_matrix(name: str) -> bool:
    """Of a linear map, which checkpoints hold as (out × in)."""
    return name.startswith("encoder.") and name.endswith(".weight") and "LayerNorm" not in name
