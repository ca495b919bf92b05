"""The images' recipe: what it names exists, every lock is what the code needs and no more, and nothing is unpinned."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.docker import bases, locks, sbom
from deploy.docker.closure import closure, imports
from deploy.docker.dockerfile import parse
from deploy.docker.images import IMAGES, SERVICES
from deploy.docker.tree import copy_image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "docker"
DOCKERFILE = parse(FOLDER / "Dockerfile")
SOURCES = locks.sources()
HEAVY = {"scipy", "pandas", "numpy", "typst", "pypandoc-binary", "vl-convert-python", "pypdfium2", "alembic"}
CARRIED = {
    "results": {"typst", "pypandoc-binary", "vl-convert-python"},
    "library": {"numpy", "scipy", "pypdfium2"},
    "worker": {"numpy", "scipy", "pandas"},
    "tools": {"alembic"},
}
"""Who carries what is heavy; nobody else does."""


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, FOLDER / "Dockerfile"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
    assert "hadolint ignore" not in (FOLDER / "Dockerfile").read_text()


def test_everything_that_is_copied_exists() -> None:
    for stage in DOCKERFILE.stages.values():
        for copy in (i for i in stage.instructions if i.name == "COPY"):
            *sources, _ = copy.words()
            if sources[0].startswith("--from="):
                assert sources[0].removeprefix("--from=") in DOCKERFILE.stages
                continue
            assert all((ROOT / source).exists() for source in sources), copy.text
            ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
            assert all(f"!{source.split('/')[0].strip('/')}" in {i.rstrip("/") for i in ignored} for source in sources)


@pytest.mark.parametrize("image", IMAGES)
def test_every_image_runs_its_own_process_unprivileged(image: str) -> None:
    stage = DOCKERFILE.stages[image]
    user, entry = stage.last("USER"), stage.last("ENTRYPOINT")
    assert user is not None
    assert entry is not None
    assert user.text == "10001:10001"
    expected = ["python", "-P", "-m", *IMAGES[image].entry] if IMAGES[image].entry else ["nats-server"]
    assert entry.words() == expected
    assert stage.last("HEALTHCHECK") is not None
    copied = [i.text for i in stage.instructions if i.name == "COPY"]
    assert copied == [
        f"--from=dependencies-{image} /opt/prsm/venv/ /opt/prsm/venv/",
        f"--from=dependencies-{image} /usr/share/sbom/ /usr/share/sbom/",
        f"--from=code /out/{image}/ /opt/prsm/app/",
    ]
    assert not any(i.name == "RUN" for i in stage.instructions)


@pytest.mark.parametrize("image", [*IMAGES, locks.BUILD])
def test_every_lock_is_the_part_of_the_projects_lock_that_the_code_needs(image: str) -> None:
    text = (locks.LOCKS / f"{image}.lock").read_text()
    assert text == locks.render(image), "run python -m deploy.docker.locks"
    assert "://" not in text
    entries = locks.blocks(text)
    assert all("--hash=sha256:" in entry for entry in entries.values())
    assert HEAVY & entries.keys() == CARRIED.get(image, set())


@pytest.mark.parametrize("image", IMAGES)
def test_no_image_imports_what_its_lock_lacks(image: str) -> None:
    locked = locks.blocks((locks.LOCKS / f"{image}.lock").read_text()).keys()
    for name in closure(SOURCES, IMAGES[image]).outside:
        assert locks.provider(name) in {None, *locked, *IMAGES[image].spared}, name


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_no_other_services_code(image: str, tmp_path: Path) -> None:
    assert copy_image(SOURCES, IMAGES[image], tmp_path) > 1
    services = {path.name for path in tmp_path.glob("services/*") if path.is_dir()}
    assert services == (set(SERVICES) if image == "tools" else {image} & set(SERVICES))
    if image in SERVICES:
        assert not (tmp_path / "services" / image / "migrations").exists()
        assert (tmp_path / "services" / image / "__main__.py").exists()
    if image == "results":
        assert (tmp_path / "services/results/rendering/templates/report.typ").exists()


def test_of_a_version_for_each_python_an_image_gets_its_own() -> None:
    older, newer = "numpy==1.0 ; python_full_version < '3.12'", "numpy==2.0 ; python_full_version >= '3.12'"
    lock = f"{older} \\\n    --hash=sha256:00\n{newer} \\\n    --hash=sha256:01\n"
    assert locks.blocks(lock)["numpy"].startswith("numpy==1.0 ")
    assert locks.blocks("colorama==1.0 ; sys_platform == 'win32'\n") == {}


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    module = tmp_path / "a.py"
    module.write_text(
        "import one.two\nfrom three import four\nfrom . import near\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import never\nelse:\n    import otherwise\n"
        "def f():\n    import late\n    load('by.name')\n"
    )
    assert imports(module, "package.a") == {
        "one.two", "three.four", "package.near", "typing.TYPE_CHECKING", "otherwise", "late", "by.name",
    }  # fmt: skip


def test_a_need_that_no_lock_covers_is_named() -> None:
    with pytest.raises(locks.NotLocked, match="nothing that is installed provides no_such_library"):
        locks.provider("no_such_library.part")


def test_a_bill_of_materials_lists_what_the_lock_does_and_who_needs_whom() -> None:
    def component(name: str, version: str) -> dict[str, str]:
        return {"name": name, "version": version, "bom-ref": f"{name}=={version}"}

    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"properties": "where it was made"},
        "components": [component("Yarl", "2"), component("aiohttp", "1"), component("pytest", "9")],
        "dependencies": [
            {"ref": "aiohttp==1", "dependsOn": ["Yarl==2", "pytest==9"]},
            {"ref": "pytest==9"},
            {"ref": "Yarl==2"},
        ],
    }
    wanted = sbom.listed(
        "aiohttp==1 \\\n    --hash=sha256:00\nyarl==2 ; sys_platform == 'linux' \\\n    --hash=sha256:01\n"
    )
    assert wanted == {"aiohttp": "1", "yarl": "2"}
    chosen = sbom.select(bom, "gateway", wanted)
    assert [c["name"] for c in chosen["components"]] == ["aiohttp", "Yarl"]
    assert chosen["metadata"] == {"component": {"type": "container", "bom-ref": "prsm-gateway", "name": "prsm-gateway"}}
    assert chosen["dependencies"] == [
        {"ref": "prsm-gateway", "dependsOn": ["Yarl==2", "aiohttp==1"]},
        {"ref": "Yarl==2", "dependsOn": []},
        {"ref": "aiohttp==1", "dependsOn": ["Yarl==2"]},
    ]
    with pytest.raises(sbom.NotInstalled, match="gateway: not installed as locked: aiohttp"):
        sbom.select(bom, "gateway", {**wanted, "aiohttp": "0.0.1"})


def test_bases_are_pinned_by_version_and_a_release_needs_their_digests() -> None:
    text = bases.LOCK.read_text()
    found = bases.parse(text)
    assert [base.variable for base in found] == ["PYTHON_BASE", "POSTGRES_IMAGE"]
    digest = "sha256:" + "0123456789abcdef" * 4
    pinned = bases.pin(found, ask=lambda _image: digest)
    assert bases.parse(bases.render(text, pinned)) == pinned
    assert pinned[0].reference == f"{found[0].image}@{digest}"
    with pytest.raises(bases.BadBases, match="no digest of python:"):
        _ = bases.Base("PYTHON_BASE", "python:3.11", "").reference
    with pytest.raises(bases.BadBases, match="not VARIABLE image:version"):
        bases.parse("PYTHON_BASE python:3.11 sha256:short")


def test_the_python_of_the_images_is_the_one_that_is_tested() -> None:
    version = re.fullmatch(r"python:(3\.[0-9]+)\.[0-9]+-slim-[a-z]+", DOCKERFILE.arguments["PYTHON_BASE"])
    assert version
    project = (ROOT / "pyproject.toml").read_text()
    assert f'requires-python = ">={version[1]}"' in project
