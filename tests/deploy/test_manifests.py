"""Every overlay, component and pair of components renders, and a cluster knows every field of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from tests.deploy.rendering import COMPONENTS, OVERLAYS, Document, composed, copied, rendered

KINDS = Path(__file__).parent / "kinds"
CORE_GROUPS = {"", "apps", "autoscaling", "policy", "networking.k8s.io"}
# The two ways to scale the video stage from zero; and a Knative service has no Deployment to give a GPU to.
EXCLUSIVE = ({"keda", "knative"}, {"gpu", "knative"})

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("kubectl") is None,
        reason="kubectl renders the manifests: sudo apt-get install kubernetes-client",
    ),
]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Each different document of all sets, once."""
    deploy = copied(tmp_path_factory.mktemp("manifests"))
    pairs = [{one, other} for one, other in combinations(COMPONENTS, 2) if {one, other} not in EXCLUSIVE]
    sets = [set(), *({name} for name in COMPONENTS), *pairs]
    folders = [composed(deploy, names) for names in sets]
    folders += [deploy / "overlays" / name for name in OVERLAYS]
    found = {json.dumps(document, sort_keys=True) for folder in folders for document in rendered(folder)}
    return [json.loads(document) for document in sorted(found)]


def test_the_cluster_knows_every_field_of_its_own_kinds(documents: list[Document], tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump_all(doc for doc in documents if group_of(doc) in CORE_GROUPS))
    validate = Path(sys.executable).parent / "kubernetes-validate"
    checked = subprocess.run([validate, "--strict", manifest], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm fetches the kinds' types: install Node.js")
def test_what_is_added_to_a_cluster_knows_every_field_of_its_kinds(
    documents: list[Document], tmp_path: Path
) -> None:
    added = [document for document in documents if group_of(document) not in CORE_GROUPS]
    assert {document["kind"] for document in added} == {
        *("HTTPRoute", "PodMonitor", "PrometheusRule", "ScaledObject", "Service", "TriggerAuthentication")
    }
    checker = tmp_path / "kinds"
    shutil.copytree(KINDS, checker)
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=checker)
    (checker / "documents.ts").write_text(as_typescript(added))
    run("node_modules/.bin/tsc", "--noEmit", "--strict", "--module", "nodenext", "documents.ts", cwd=checker)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_image_of_ours_comes_from_where_the_overlay_says(overlay: str, tmp_path: Path) -> None:
    documents = rendered(copied(tmp_path) / "overlays" / overlay)
    images = {container["image"] for container in containers_of(documents)}
    tag = ":dev" if overlay == "local" else ":1"
    prefix = "" if overlay == "local" else "registry.example.com/"
    ours = {f"{prefix}visavis-{name}{tag}" for name in ("gateway", "lipsync", "text", "tts")}
    assert ours <= images
    assert not [image for image in images - ours if "visavis" in image]


def test_workers_on_gpus_come_from_their_own_image(tmp_path: Path) -> None:
    production = copied(tmp_path) / "overlays" / "production"
    manifest = production / "kustomization.yaml"
    manifest.write_text(manifest.read_text().replace("components:", "components:\n  - ../../components/gpu"))
    images = {container["image"] for container in containers_of(rendered(production))}
    assert "registry.example.com/visavis-lipsync-gpu:1" in images
    assert not [image for image in images if "visavis-lipsync:" in image]


def test_secrets_that_are_not_filled_in_are_named(tmp_path: Path) -> None:
    deploy = copied(tmp_path)
    (deploy / "components" / "secrets" / "gateway.env").unlink()
    result = subprocess.run(
        ["kubectl", "kustomize", deploy / "overlays" / "production"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "gateway.env" in result.stderr


def containers_of(documents: Iterable[Document]) -> Iterable[Document]:
    for document in documents:
        template = document.get("spec", {}).get("template", {})
        yield from template.get("spec", {}).get("containers", [])


def group_of(document: Document) -> str:
    group, slash, _version = str(document["apiVersion"]).rpartition("/")
    return group if slash else ""


def as_typescript(documents: Iterable[Document]) -> str:
    """The documents as typed literals: the compiler refuses wrong values and unknown fields alike."""
    packages = {
        "gateway.networking.k8s.io": "gateway-api",
        "keda.sh": "keda",
        "monitoring.coreos.com": "prometheus-operator",
        "serving.knative.dev": "knative",
    }
    lines = []
    for index, document in enumerate(documents):
        kind, version = document["kind"], str(document["apiVersion"])
        module = f"@kubernetes-models/{packages[group_of(document)]}/{version}/{kind}"
        lines.append(f'import type {{ I{kind} as Kind{index} }} from "{module}";')
        lines.append(f"export const document{index}: Kind{index} = {json.dumps(document)};")
    return "\n".join(lines)


def run(*command: str, cwd: Path) -> None:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
