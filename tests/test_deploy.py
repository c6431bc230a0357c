"""The files for operators in configs/deploy."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

MANIFESTS = Path(__file__).parents[1] / "configs" / "deploy" / "kubernetes.yaml"


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
def test_the_manifests_follow_the_schemas_of_kubernetes(version: str) -> None:
    kinds = []
    for document in yaml.safe_load_all(MANIFESTS.read_text()):
        kubernetes_validate.validate(document, version, strict=True)
        kinds.append(document["kind"])
    assert kinds == ["Service", "StatefulSet"]
