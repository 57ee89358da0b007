"""The manifests render, and the API server's own schemas know every field of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SETS = [DEPLOY / "base", *(path.parent for path in sorted(DEPLOY.glob("overlays/*/kustomization.yaml")))]

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None,
    reason="kubectl renders the manifests: see kubernetes.io/docs/tasks/tools",
)


@pytest.mark.parametrize("folder", SETS, ids=lambda folder: str(folder.relative_to(DEPLOY)))
def test_manifests_render_and_are_valid(folder: Path, tmp_path: Path) -> None:
    rendered = subprocess.run(
        ["kubectl", "kustomize", folder], check=True, capture_output=True, text=True
    ).stdout
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(rendered)
    validate = Path(sys.executable).parent / "kubernetes-validate"
    checked = subprocess.run([validate, "--strict", manifest], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert rendered.count("\nkind: Deployment\n") == 4
