"""The page of all settings is what the classes say."""

from __future__ import annotations

from deploy.checks.processes import PROCESSES
from tools.settings_table import TARGET, render


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text() == render(), "run python -m tools.settings_table"


def test_it_has_every_setting_with_a_description() -> None:
    page = render()
    for name, model in PROCESSES.items():
        assert f"\n## {name}\n" in page
        for field, info in model.model_fields.items():
            assert f"| `{field.upper()}` |" in page
            assert info.description, f"{name}.{field}"
