"""Altered sentences against the quotes that they were made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval import prose

_TEXTS = (
    "Aspirin increased warfarin levels in 12% of 340 patients with diabetes, and it was well tolerated in all groups. "
    "Compound K may reduce the growth of tumours (by 30%) in mice, which were treated for 14 days. "
    "Recall was higher with spaced practice than with massed practice among pupils of primary schools.",
    "The uptake of carbon dioxide is limited by mixing, and cold water holds more gas than warm water does. "
    "Sediments of salt marshes are rich in carbon (210 grams per square metre), as earlier surveys found.",
)


def test_what_says_something_else_does_not_stand(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(number), "text": text}) for number, text in enumerate(_TEXTS)]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines))
    report = prose.measure(tmp_path)
    assert not report.problems
    changed = {str(row[0]): row for table in report.tables for row in table.rows}
    assert changed.keys() == prose.OTHER.keys() | prose.SAME.keys()
    assert all(changed[name][2] == 0 for name in prose.OTHER)
    assert all(changed[name][1] for name in prose.OTHER)
    assert sum(int(changed[name][2] or 0) for name in prose.SAME) > len(_TEXTS)


def test_a_folder_without_texts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no texts"):
        prose.measure(tmp_path)
