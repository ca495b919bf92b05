"""Migrations are one line of numbered steps, each of which the release before can live with."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from cli.stack.environment import SERVICES
from kit.db.migrate import upgrade
from kit.db.revision import WrongRevision, check
from tests.support.migration_rules import FIRST, breaking

ROOT = Path(__file__).resolve().parents[3]
HELPERS = ROOT / "kit" / "db" / "migration_ops.py"
HEAD = '"""A step."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade() -> None:\n'


def versions(service: str) -> list[Path]:
    return sorted((ROOT / "services" / service / "migrations" / "versions").glob("[0-9]*.py"))


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_numbered_one_after_the_other_up_to_what_the_tables_need(service: str) -> None:
    numbers, parents = [], []
    for path in versions(service):
        text = path.read_text()
        found = re.search(r'^revision = "([0-9]{4})"$', text, flags=re.MULTILINE)
        before = re.search(r'^down_revision = (?:None|"([0-9]{4})")$', text, flags=re.MULTILINE)
        assert found, path
        assert before, path
        assert path.name.startswith(found[1])
        numbers.append(found[1])
        parents.append(before[1])
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert parents == [None, *numbers[:-1]]
    assert importlib.import_module(f"services.{service}.tables").KIT.revision == numbers[-1]


@pytest.mark.parametrize("service", SERVICES)
def test_the_release_before_lives_with_every_later_migration(service: str) -> None:
    assert {path.name: breaking(path, HELPERS) for path in versions(service)[1:]} == {
        p.name: [] for p in versions(service)[1:]
    }
    assert versions(service)[0].name.startswith(FIRST)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('op.drop_column("sessions", "prompt")', "op.drop_column"),
        ('op.drop_table("loads")', "op.drop_table"),
        ('op.drop_index("sessions_listed")', "op.drop_index"),
        ('op.alter_column("sessions", "prompt", new_column_name="question")', "op.alter_column"),
        ('op.rename_table("loads", "burdens")', "op.rename_table"),
        ('op.execute("UPDATE sessions SET status = 1")', "op.execute"),
        ('op.create_check_constraint("c", "sessions", "progress > 0")', "op.create_check_constraint"),
        ('op.create_unique_constraint("u", "sessions", ["owner"])', "op.create_unique_constraint"),
        ('op.create_foreign_key("f", "a", "b", ["x"], ["y"])', "op.create_foreign_key"),
        (
            'with op.batch_alter_table("sessions") as batch:\n        batch.drop_column("prompt")',
            "op.batch_alter_table",
        ),
        ('op.add_column("sessions", sa.Column("mood", sa.Text(), nullable=False))', "without a default for older code"),
        ("mend_everything()", "mend_everything() is not looked into"),
        ('op.create_index("u", "sessions", ["owner"], unique=True)', "a unique index on sessions"),
    ],
)
def test_what_the_release_before_could_not_live_with_is_found(tmp_path: Path, body: str, fault: str) -> None:
    path = tmp_path / "0002_step.py"
    path.write_text(f"{HEAD}    {body}\n")
    (found,) = breaking(path, HELPERS)
    assert fault in found


@pytest.mark.parametrize(
    "body",
    [
        'op.add_column("sessions", sa.Column("mood", sa.Text()))',
        'op.add_column("sessions", sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))',
        'op.create_index("sessions_mood", "sessions", ["mood"])',
        'op.create_table("moods", sa.Column("mood", sa.Text(), nullable=False))\n'
        '    op.create_index("moods_mood", "moods", ["mood"], unique=True)\n'
        '    op.add_column("moods", sa.Column("depth", sa.Integer(), nullable=False))',
    ],
)
def test_additions_are_fine(tmp_path: Path, body: str) -> None:
    path = tmp_path / "0002_step.py"
    path.write_text(f"{HEAD}    {body}\n")
    assert breaking(path, HELPERS) == []


def test_a_migration_without_an_upgrade_is_none(tmp_path: Path) -> None:
    path = tmp_path / "0002_step.py"
    path.write_text('"""Nothing."""\n')
    assert breaking(path, HELPERS) == ["there is no upgrade()"]


@pytest.mark.parametrize("found", ["0002", "0003"])
def test_a_database_may_be_one_revision_ahead(found: str) -> None:
    check(found, "0002", "billing")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("", "billing: the database was never migrated: run prsm migrate --service billing"),
        ("0001", "billing: the database is at revision 0001, 0002 is needed: run prsm migrate --service billing"),
        ("0004", "billing: the database is at revision 0004, more than 1 after 0002: run a newer release"),
        ("abc", "billing: the database is at abc, which is no revision of this product"),
    ],
)
def test_any_other_is_refused(found: str, words: str) -> None:
    with pytest.raises(WrongRevision) as refusal:
        check(found, "0002", "billing")
    assert str(refusal.value) == words


def test_another_services_file_is_not_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'some.db'}"
    upgrade("services.collab", url)
    with pytest.raises(WrongRevision, match=r"^billing: the database is another service's"):
        upgrade("services.billing", url)
    assert upgrade("services.collab", url) == importlib.import_module("services.collab.tables").KIT.revision
