"""Parquet files: datasets whose text is their rows as CSV, every digit kept."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits, table_text
from services.library.parsing.facts import title_from_filename

if TYPE_CHECKING:
    import pyarrow

_BATCH_CELLS = 20_000
_COLUMNS = 5_000
_NO_FRACTION = re.compile(r"\.0+$")


def parse_parquet(data: bytes, filename: str, content_type: str, limits: ParseLimits) -> ParsedDocument:
    """A .parquet file. Fields of a struct become columns `outer.inner`; lists and maps are JSON in their cell.

    Numbers are written in full (decimals with their scale, floats in the shortest form that reads back the same),
    times in ISO 8601 to the last digit of their unit and in UTC where they have a zone, binary that is no UTF-8
    in hexadecimal; a missing value is an empty cell. Raises DocumentUnreadable: `corrupt`, `empty` without
    columns, `encrypted`, `too_large`, `decompression_limit`, `memory_limit`.
    """
    import pyarrow as arrow  # loaded when the first such file comes: it is large
    import pyarrow.parquet as parquet

    arrow.set_memory_pool(arrow.system_memory_pool())
    arrow.set_cpu_count(1)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    try:
        file = parquet.ParquetFile(arrow.BufferReader(data), pre_buffer=False)
        rows = _checked(file.metadata, limits)
        large = rows * file.metadata.num_columns > limits.cells
        writer.writerow(_names(file.schema_arrow))
        size = max(1, _BATCH_CELLS // max(1, file.metadata.num_columns))
        for batch in file.iter_batches(batch_size=size, use_threads=False):
            writer.writerows(_rows(batch))
            if out.tell() > (limits.head_characters if large else limits.characters):
                large = True
                break
    except arrow.ArrowException as error:
        if isinstance(error, MemoryError):
            raise DocumentUnreadable(UnreadableCause.MEMORY_LIMIT) from error
        cause = UnreadableCause.ENCRYPTED if "ncrypt" in str(error) else UnreadableCause.CORRUPT
        raise DocumentUnreadable(cause, "It is no readable Parquet file.") from error
    except (OSError, EOFError, UnicodeDecodeError, OverflowError) as error:
        raise DocumentUnreadable(UnreadableCause.CORRUPT, "It is no readable Parquet file.") from error
    text, problems = table_text(out.getvalue(), limits, cut=large)
    return ParsedDocument(title_from_filename(filename), Kind.PARQUET, text, problems=problems, is_dataset=rows > 0)


def _checked(metadata: Any, limits: ParseLimits) -> int:
    """The number of rows, once the file's own figures are within bounds. They may lie: batches are counted too. Of a
    table with more cells than the limit only the beginning will be unpacked."""
    if metadata.num_columns == 0:
        raise DocumentUnreadable(UnreadableCause.EMPTY, "It has no columns.")
    if metadata.num_columns > _COLUMNS:
        raise DocumentUnreadable(UnreadableCause.TOO_LARGE, f"It has more than {_COLUMNS:,} columns.")
    if metadata.num_rows * metadata.num_columns > limits.cells:
        return int(metadata.num_rows)
    groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > limits.unpacked_bytes:
        raise DocumentUnreadable(UnreadableCause.DECOMPRESSION_LIMIT)
    return int(metadata.num_rows)


def _names(schema: pyarrow.Schema) -> list[str]:
    return [name for field in schema for name in _field_names(field.name, field.type)]


def _field_names(name: str, kind: pyarrow.DataType) -> Iterator[str]:
    import pyarrow.types as types

    if types.is_struct(kind) and kind.num_fields:
        for index in range(kind.num_fields):
            yield from _field_names(f"{name}.{kind.field(index).name}", kind.field(index).type)
    else:
        yield name


def _rows(batch: pyarrow.RecordBatch) -> Iterator[tuple[str, ...]]:
    return zip(*(column for each in batch.columns for column in _columns(each)), strict=True)


def _columns(array: pyarrow.Array) -> Iterator[list[str]]:
    import pyarrow.types as types

    kind = array.type
    if types.is_struct(kind) and kind.num_fields:
        for part in array.flatten():
            yield from _columns(part)
    else:
        yield _written(array)


def _written(array: pyarrow.Array) -> list[str]:
    import pyarrow as arrow
    import pyarrow.types as types

    kind = array.type
    if types.is_dictionary(kind):
        return _written(array.dictionary_decode())
    if types.is_nested(kind):
        return ["" if not value.is_valid else json.dumps(_plain(value), ensure_ascii=False) for value in array]
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return ["" if value is None else _bytes(value) for value in array.to_pylist()]
    if types.is_float16(kind):
        array = array.cast(arrow.float32())
    if types.is_duration(kind) or types.is_null(kind):
        array = array.cast(arrow.int64()) if types.is_duration(kind) else array.cast(arrow.string())
    if types.is_timestamp(kind):
        # A moment is the same in any zone; the zone's own clock would need a database the host may lack.
        zone = "Z" if kind.tz else ""
        texts = array.view(arrow.timestamp(kind.unit)).cast(arrow.string()).to_pylist()
        return ["" if value is None else _moment(value) + zone for value in texts]
    return ["" if value is None else value for value in array.cast(arrow.string()).to_pylist()]


def _plain(scalar: Any) -> Any:
    """A nested value as JSON holds it; what JSON has no type for is text."""
    import pyarrow as arrow
    import pyarrow.types as types

    kind = scalar.type
    if not scalar.is_valid:
        return None
    if types.is_map(kind):
        return {
            str(_plain(key)): _plain(value)
            for key, value in zip(scalar.values.field(0), scalar.values.field(1), strict=True)
        }
    if types.is_struct(kind):
        return {kind.field(index).name: _plain(scalar[index]) for index in range(kind.num_fields)}
    if types.is_nested(kind):
        return [_plain(value) for value in scalar.values]
    if types.is_boolean(kind) or types.is_integer(kind):
        return scalar.as_py()
    if types.is_float64(kind):
        value = scalar.as_py()
        return value if value == value and abs(value) != float("inf") else str(value)
    return _written(arrow.array([scalar], type=kind))[0]


def _moment(value: str) -> str:
    """ISO 8601; a fraction of a second only when it is not zero."""
    return _NO_FRACTION.sub("", value.replace(" ", "T", 1))


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
