"""Parquet files: columns with the types that the file declares, every digit kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.engines.analysis.errors import TOO_LARGE, UNREADABLE, AnalysisError
from worker.engines.analysis.reading.formats import MAX_UNPACKED, MIB
from worker.engines.analysis.reading.notes import Notes
from worker.engines.analysis.reading.records import MAX_CELLS
from worker.engines.analysis.wording import listed

if TYPE_CHECKING:
    import pyarrow

_MOST_COLUMNS = 5_000
_ZEROS = re.compile(r"(\.[0-9]*?)0+$")


@dataclass(frozen=True, slots=True)
class ParquetColumn:
    """`cells` are "" where missing. `declared` is `number`, `boolean`, `date` or "" where the text is to be understood;
    `unit` is that of a duration."""

    name: str
    cells: list[str]
    declared: str = ""
    unit: str = ""


def read_parquet(data: bytes, notes: Notes) -> list[ParquetColumn]:
    """The columns of a file. Fields of a struct become columns ``outer.inner``, lists and maps are JSON text.

    Decimals have their scale, floats the shortest text that reads back the same, moments are ISO 8601 (in UTC where
    they have a zone) to the last digit that is not zero, binary that is no UTF-8 is hexadecimal. Raises
    :class:`AnalysisError` for a damaged, encrypted or too large file.
    """
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(arrow.BufferReader(data), pre_buffer=False)
        _check(file.metadata)
        table = file.read(use_threads=False)
    except MemoryError:
        raise AnalysisError(TOO_LARGE, "the Parquet file does not fit into memory") from None
    except (arrow.ArrowException, OSError, EOFError, ValueError, OverflowError) as error:
        what = "encrypted" if "ncrypt" in str(error) else "damaged or none"
        first = str(error).strip().partition("\n")[0][:200]
        raise AnalysisError(UNREADABLE, f"the Parquet file is {what}: {first}") from None
    found: dict[str, list[str]] = {}
    columns = [
        column
        for name, chunked in zip(table.column_names, table.columns, strict=True)
        for column in _columns(name, chunked.combine_chunks(), found)
    ]
    for what, names in found.items():
        notes.decide(f"{listed([repr(name) for name in names])}: {what}", "the file's types say so")
    return columns


def _check(metadata: Any) -> None:
    """The file's own figures against the limits."""
    if metadata.num_columns == 0 or metadata.num_rows == 0:
        raise AnalysisError(UNREADABLE, "the dataset has no rows of data")
    if metadata.num_columns > _MOST_COLUMNS or metadata.num_rows * metadata.num_columns > MAX_CELLS:
        raise AnalysisError(TOO_LARGE, f"the dataset has more than {MAX_CELLS:,} cells")
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > MAX_UNPACKED:
        raise AnalysisError(TOO_LARGE, f"the Parquet file unpacks to more than {MAX_UNPACKED // MIB} MiB")


def _columns(name: str, array: Any, found: dict[str, list[str]]) -> Iterator[ParquetColumn]:
    """One column, or those of a struct's fields. What has to be said about it goes to `found`."""
    import pyarrow.types as types

    kind = array.type
    if types.is_dictionary(kind):
        yield from _columns(name, array.dictionary_decode(), found)
    elif types.is_struct(kind) and kind.num_fields:
        found.setdefault("fields of objects become columns outer.inner", []).append(name)
        for index, part in enumerate(array.flatten()):
            yield from _columns(f"{name}.{kind.field(index).name}", part, found)
    else:
        if types.is_nested(kind):
            found.setdefault("lists and maps are kept as JSON text", []).append(name)
        if types.is_float32(kind) or types.is_float16(kind):
            found.setdefault("single precision is read as the shortest decimal that it is stored for", []).append(name)
        cells = written(array)
        if _binary(kind) and any(cells) and _hexadecimal(array):
            found.setdefault("bytes that are no text are written in hexadecimal", []).append(name)
        yield ParquetColumn(name, cells, _declared(kind), kind.unit if types.is_duration(kind) else "")


def _declared(kind: pyarrow.DataType) -> str:
    import pyarrow.types as types

    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_duration(kind):
        return "number"
    return "date" if types.is_timestamp(kind) or types.is_date(kind) else ""


def _binary(kind: pyarrow.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _hexadecimal(array: Any) -> bool:
    return any(not _is_text(value) for value in array.to_pylist() if value is not None)


def written(array: Any) -> list[str]:
    """The values of an array as text, "" where there is none."""
    import pyarrow as arrow
    import pyarrow.types as types

    kind = array.type
    if types.is_null(kind):
        return [""] * len(array)
    if types.is_nested(kind):
        return ["" if not value.is_valid else json.dumps(_plain(value), ensure_ascii=False) for value in array]
    if _binary(kind):
        values = array.to_pylist()
        text = all(value is None or _is_text(value) for value in values)
        return ["" if value is None else value.decode() if text else value.hex() for value in values]
    if types.is_decimal(kind):
        return ["" if value is None else format(value, "f") for value in array.to_pylist()]
    if types.is_float16(kind):
        array = array.cast(arrow.float32())
    if types.is_duration(kind):
        array = array.cast(arrow.int64())
    if types.is_timestamp(kind):
        # A moment is the same in any zone; the zone's own clock would need a database the host may lack.
        texts = array.view(arrow.timestamp(kind.unit)).cast(arrow.string()).to_pylist()
        zone = "Z" if kind.tz else ""
        return ["" if text is None else _moment(text) + zone for text in texts]
    return ["" if text is None else text for text in array.cast(arrow.string()).to_pylist()]


def _moment(text: str) -> str:
    return _ZEROS.sub(r"\1", text.replace(" ", "T", 1)).removesuffix(".")


def _is_text(value: bytes) -> bool:
    try:
        return "\x00" not in value.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _plain(scalar: Any) -> Any:
    """A nested value as JSON holds it; what JSON has no type for is text."""
    import pyarrow as arrow
    import pyarrow.types as types

    kind = scalar.type
    if not scalar.is_valid:
        return None
    if types.is_map(kind):
        pairs = zip(scalar.values.field(0), scalar.values.field(1), strict=True)
        return {str(_plain(key)): _plain(value) for key, value in pairs}
    if types.is_struct(kind):
        return {kind.field(index).name: _plain(scalar[index]) for index in range(kind.num_fields)}
    if types.is_nested(kind):
        return [_plain(value) for value in scalar.values]
    if types.is_boolean(kind) or types.is_integer(kind):
        return scalar.as_py()
    return written(arrow.array([scalar.as_py()], type=kind))[0]
