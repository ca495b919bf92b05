"""Write the PrometheusRule from the plain rule file: `python -m deploy.checks.rules`."""

from __future__ import annotations

import yaml

from deploy.checks.model import Document
from deploy.checks.sources import K8S, ROOT

RULES = ROOT / "deploy" / "observability" / "alerts.yaml"
MANIFEST = K8S / "components" / "observability" / "rules.yaml"
_HEAD = "# Made from deploy/observability/alerts.yaml by `python -m deploy.checks.rules`.\n"


def manifest(rules: Document) -> Document:
    """The custom resource with these rules."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "prsm", "namespace": "prsm", "labels": {"app.kubernetes.io/part-of": "prsm"}},
        "spec": rules,
    }


def main() -> None:
    rules = yaml.safe_load(RULES.read_text())
    MANIFEST.write_text(_HEAD + yaml.safe_dump(manifest(rules), sort_keys=False, width=120, allow_unicode=True))


if __name__ == "__main__":
    main()
