"""Our reader of kustomizations, patches, and the run of the checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.checks import network, sources
from deploy.checks.__main__ import Report
from deploy.checks.model import CannotCheck, Finding, Release, selected
from deploy.checks.patching import patched
from deploy.checks.sources import disagreements


def test_patches_reach_into_lists_by_place_and_by_name() -> None:
    document = {"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "a/b": {"c": 1}}
    assert patched(document, [{"op": "replace", "path": "/env/[name=b]/value", "value": "3"}])["env"][1]["value"] == "3"
    assert patched(document, [{"op": "add", "path": "/env/-", "value": {"name": "c"}}])["env"][2] == {"name": "c"}
    assert patched(document, [{"op": "add", "path": "/env/0", "value": {"name": "c"}}])["env"][0] == {"name": "c"}
    assert patched(document, [{"op": "remove", "path": "/env/0"}])["env"] == [{"name": "b", "value": "2"}]
    assert patched(document, [{"op": "remove", "path": "/a~1b/c"}])["a/b"] == {}
    assert document["a/b"] == {"c": 1}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/list/7"},
        {"op": "replace", "path": "/list/[name=nobody]", "value": 1},
        {"op": "move", "path": "/list"},
    ],
)
def test_a_patch_that_fits_nowhere_is_refused(operation: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fits nowhere"):
        patched({"list": [{"name": "a"}]}, [operation])


def test_a_kustomization_that_does_more_needs_kustomize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nnamePrefix: x-\n")
    monkeypatch.setitem(sources.FOLDERS, "base", tmp_path)
    with pytest.raises(CannotCheck, match="namePrefix needs kustomize"):
        sources.read("base")


def test_images_settings_replicas_and_patches_are_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "overlay"
    folder.mkdir()
    (tmp_path / "settings.env").write_text("# why\na=1\nb=x=y\n")
    (tmp_path / "one.yaml").write_text(
        "{kind: Deployment, metadata: {name: one, labels: {tier: front}}, "
        "spec: {template: {spec: {containers: [{name: one, image: 'prsm/one:1'}]}}}}"
    )
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [one.yaml]\nconfigMapGenerator: [{name: s, namespace: n, envs: [settings.env]}]\n"
    )
    (folder / "more.env").write_text("b=2\n")
    (folder / "kustomization.yaml").write_text(
        "resources: [..]\n"
        "configMapGenerator: [{name: s, namespace: n, behavior: merge, envs: [more.env]}]\n"
        "images: [{name: prsm/one, newName: host:5000/one, newTag: '2'}]\n"
        "replicas: [{name: one, count: 4}]\n"
        "patches:\n"
        "  - target: {kind: Deployment, labelSelector: 'tier in (front, back)'}\n"
        "    patch: '[{op: add, path: /spec/paused, value: true}]'\n"
    )
    monkeypatch.setitem(sources.FOLDERS, "base", folder)
    deployment, settings = sources.read("base").documents
    assert settings["data"] == {"a": "1", "b": "2"}
    assert deployment["spec"]["replicas"] == 4
    assert deployment["spec"]["paused"] is True
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "host:5000/one:2"


def test_a_difference_to_kustomize_is_named_and_hashes_are_none() -> None:
    ours = {"kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "1"}}
    user = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"config": "s"}}
    theirs = {**ours, "metadata": {"name": "s-abcde12345"}}
    hashed = {**user, "spec": {"config": "s-abcde12345"}}
    assert disagreements(Release("a", [ours, user]), Release("b", [hashed, theirs])) == []
    other = {**theirs, "data": {"a": "2"}}
    (finding,) = disagreements(Release("a", [ours, user]), Release("b", [hashed, other]))
    assert finding.resource == "ConfigMap/s"


def test_selectors_select_as_in_kubernetes() -> None:
    labels = {"a": "1"}
    assert selected({}, labels)
    assert selected({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, labels)
    assert not selected({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, labels)
    assert selected({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, labels)
    assert not selected({"matchLabels": {"b": "1"}}, labels)


def test_a_caller_that_the_contract_does_not_name_is_found(releases: dict[str, Release]) -> None:
    allowed = {"billing": frozenset({"results"})}
    found = [str(finding) for finding in network.unanswered(releases["base"], allowed)]
    assert any("no method of billing takes session" in text for text in found)


def test_the_report_tells_wrong_from_unknown() -> None:
    def cannot() -> list[Finding]:
        raise CannotCheck("install it")

    lines: list[str] = []
    report = Report(lines.append)
    assert report.step("first", "1 file", list)
    assert report.status == 0
    assert not report.step("second", "1 file", lambda: [Finding("Deployment/session", "spec", "is odd", "Mend it")])
    assert report.status == 1
    assert not report.step("third", "1 file", cannot)
    assert report.status == 2
    assert lines[0].startswith("ok    first")
    assert "deploy/k8s/base/session.yaml: Deployment/session: spec: is odd. Mend it" in lines[2]
    assert "install it" in lines[3]
