"""What is deployed is right, as far as that can be told with nothing but Python installed."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import yaml

from deploy.checks import monitors, registry, tools
from deploy.checks.model import Release
from deploy.checks.registry import FILES, MANIFESTS, Files
from deploy.checks.sources import FOLDERS, K8S, ROOT


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("check", MANIFESTS)
def test_a_release_is_right(releases: dict[str, Release], name: str, check: str) -> None:
    assert MANIFESTS[check](releases[name]) == []


@pytest.mark.parametrize("check", ["nats", "hadolint", "envoy"])
def test_a_file_is_right(releases: dict[str, Release], check: str) -> None:
    assert FILES[check](Files(releases["production"], releases["observability"])) == []


def test_the_manifests_hold_the_rules_and_dashboards_that_are_tested(releases: dict[str, Release]) -> None:
    rules = yaml.safe_load((registry.OBSERVABILITY / "alerts.yaml").read_text())
    assert tools.rules_agree(releases["observability"], rules) == []
    assert monitors.dashboards(releases["observability"], registry.OBSERVABILITY / "dashboards") == []


def test_every_process_is_in_production(releases: dict[str, Release]) -> None:
    kinds = {(document["kind"], document["metadata"]["name"]) for document in releases["production"].documents}
    for process in ("session", "results", "collab", "billing", "library", "worker", "envoy"):
        for kind in ("Deployment", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy", "Certificate"):
            assert (kind, process) in kinds


def test_every_exemption_says_why() -> None:
    for exemption in yaml.safe_load(tools.EXEMPTIONS.read_text()):
        assert exemption.keys() == {"check", "resources", "reason"}
        assert len(exemption["reason"]) > 40


def test_the_base_carries_the_products_version(releases: dict[str, Release]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for release in releases.values():
        images = {str(c.spec["image"]) for c in release.containers() if "prsm/" in str(c.spec["image"])}
        assert images
        assert {image.rpartition(":")[2] for image in images} == {version}


def test_the_readme_names_every_file_it_speaks_of() -> None:
    text = (K8S / "README.md").read_text()
    for path in (
        "base",
        "edge/envoy",
        "edge/gateway",
        "nats/values.yaml",
        *(f"overlays/{n}" for n in ("dev", "production")),
    ):
        assert f"`{path}" in text
        assert (K8S / path).exists()


def test_the_readmes_commands_are_ones_that_kubectl_takes() -> None:
    """It refuses a kind beside a kind/name, and a selector beside --all."""
    text = (K8S / "README.md").read_text().replace("\\\n", " ")
    asked = [line for line in re.findall(r"^\$ kubectl (.*)$", text, flags=re.MULTILINE) if "get --raw" not in line]
    assert len(asked) > 12
    for line in asked:
        words = [word for word in shlex.split(re.sub(r"<[^>]*>", "name", line), comments=True) if "=" not in word]
        given = {word for word in words if word.startswith("-")}
        plain = [word for number, word in enumerate(words) if not {word, words[number - 1]} & {"-n", "-l", "-f"}]
        if {"wait", "delete", "rollout"} & set(plain):
            resources = [word for word in plain if not word.startswith("-")][1:]
            assert len({"/" in word for word in resources if word != "status"}) == 1, line
            assert not {"-l", "--all"} <= given, line


def test_every_namespaced_command_of_the_readme_comes_after_the_namespace() -> None:
    sections = re.findall(r"```console\n(.*?)```", (K8S / "README.md").read_text(), flags=re.DOTALL)
    first = [next(line for line in section.splitlines() if "kubectl" in line) for section in sections]
    assert first[:2] == ["$ kubectl apply -f base/namespace.yaml"] * 2
