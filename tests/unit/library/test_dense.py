from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Mapping
from math import erf, exp, sqrt
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from kit.errors import Unavailable
from services.library.dense.bert import ModelInvalid
from services.library.dense.encoder import BertEncoder, DenseMissing, opened
from services.library.dense.encoding import DenseEncoding
from services.library.index.codes import coded

WIDTH, HEADS, LAYERS, INNER = 8, 2, 2, 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "peat", "bog", "moss", "##es", "star", "."]
TEXTS = ["Peat bog.", "star", "mosses star peat bog bog bog star", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights, in the files that a published one has."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = Tokenizer(WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights(), str(folder / "model.safetensors"))
    return folder


def weights() -> dict[str, NDArray[np.float32]]:
    chance = np.random.default_rng(4)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (12, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{layer}.{part}.weight": (WIDTH, WIDTH), f"{layer}.{part}.bias": (WIDTH,)}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{layer}.{part}.weight": (WIDTH,), f"{layer}.{part}.bias": (WIDTH,)}
        shapes |= {f"{layer}.intermediate.dense.weight": (INNER, WIDTH), f"{layer}.intermediate.dense.bias": (INNER,)}
        shapes |= {f"{layer}.output.dense.weight": (WIDTH, INNER), f"{layer}.output.dense.bias": (WIDTH,)}
    return {name: chance.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def by_hand(numbers: list[int], held: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """The vector of one text, place by place, in plain float64."""
    given = {name: value.astype(np.float64) for name, value in held.items()}

    def normal(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        spread = sqrt(float(((x - x.mean()) ** 2).mean()) + 1e-12)
        return np.asarray((x - x.mean()) / spread * given[f"{name}.weight"] + given[f"{name}.bias"])

    def dense(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return np.asarray(given[f"{name}.weight"] @ x + given[f"{name}.bias"])

    rows = [
        normal(
            given["embeddings.word_embeddings.weight"][number]
            + given["embeddings.position_embeddings.weight"][place]
            + given["embeddings.token_type_embeddings.weight"][0],
            "embeddings.LayerNorm",
        )
        for place, number in enumerate(numbers)
    ]
    size = WIDTH // HEADS
    for layer in (f"encoder.layer.{number}" for number in range(LAYERS)):
        parts = {
            kind: [dense(row, f"{layer}.attention.self.{kind}") for row in rows] for kind in ("query", "key", "value")
        }
        mixed = []
        for place in range(len(rows)):
            heads = []
            for head in range(HEADS):
                span = slice(head * size, (head + 1) * size)
                raw = [float(parts["query"][place][span] @ key[span]) / sqrt(size) for key in parts["key"]]
                shares = [exp(value - max(raw)) for value in raw]
                total = sum(shares)
                heads.append(sum(s / total * v[span] for s, v in zip(shares, parts["value"], strict=True)))
            mixed.append(np.concatenate(heads))
        rows = [
            normal(row + dense(one, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
            for row, one in zip(rows, mixed, strict=True)
        ]
        wide = [dense(row, f"{layer}.intermediate.dense") for row in rows]
        bent = [np.array([x * 0.5 * (1 + erf(x / sqrt(2))) for x in row]) for row in wide]
        rows = [
            normal(row + dense(one, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
            for row, one in zip(rows, bent, strict=True)
        ]
    mean = np.mean(rows, axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_the_forward_pass_is_that_of_the_paper(folder: Path) -> None:
    vectors = BertEncoder(folder, name="tiny").encode(TEXTS)
    assert vectors.shape == (len(TEXTS), WIDTH)
    for row, numbers in zip(vectors, ([2, 4, 5, 9, 3], [2, 8, 3], [2, 6, 7, 8, 4, 5, 5, 5, 8, 3], [2, 3]), strict=True):
        assert row == pytest.approx(by_hand(numbers, weights()), abs=2e-5)


def test_a_text_has_the_same_vector_in_any_company(folder: Path) -> None:
    encoder = BertEncoder(folder, name="tiny")
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert encoder.encode(TEXTS) == pytest.approx(alone, abs=1e-6)
    assert encoder.encode([]).shape == (0, WIDTH)


def test_what_is_too_long_for_the_model_is_cut(folder: Path) -> None:
    encoder = BertEncoder(folder, name="tiny")
    assert encoder.encode(["peat " * 500]) == pytest.approx(encoder.encode(["peat " * 10]), abs=1e-6)


def test_missing_and_broken_models_have_names(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DenseMissing, match=r"config\.json"):
        BertEncoder(tmp_path, name="none")
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    some = weights()
    del some["embeddings.LayerNorm.bias"]
    save_file(some, str(tmp_path / "model.safetensors"))
    with pytest.raises(ModelInvalid, match=r"embeddings\.LayerNorm\.bias"):
        BertEncoder(tmp_path, name="incomplete")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelInvalid):
        BertEncoder(tmp_path, name="broken")


def test_without_the_extra_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.library.dense.encoder._PACKAGE", "no_such_package")
    with pytest.raises(DenseMissing, match="make dense"):
        opened()


async def test_passages_are_encoded_by_a_process_that_may_be_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = DenseEncoding(folder)
    try:
        with monkeypatch.context() as without:
            without.setattr("sys.executable", "/nowhere/python")
            with pytest.raises(Unavailable, match="cannot be started"):
                await encoding.passages(TEXTS)
        expected = coded(BertEncoder(folder, name="tiny").encode(TEXTS))
        assert (await encoding.passages(TEXTS)).tolist() == expected.tolist()
        assert encoding.query(TEXTS[0]).shape == (WIDTH,)
        await encoding.close()
        assert (await encoding.passages(TEXTS[:1])).shape == (1, WIDTH)
        assert encoding._process is not None
        encoding._process.send_signal(signal.SIGSTOP)
        under_way = asyncio.create_task(encoding.passages(TEXTS))
        await asyncio.sleep(0)
        await encoding.close()
        with pytest.raises(Unavailable):
            await under_way
    finally:
        await encoding.close()
