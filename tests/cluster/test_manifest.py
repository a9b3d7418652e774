"""docs/kuberay.yaml is what KubeRay takes, and fits what this program needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml", reason="it comes with Ray")

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "kuberay.yaml"
CLUSTER_FIELDS = {"rayVersion", "authOptions", "enableInTreeAutoscaling", "headGroupSpec", "workerGroupSpecs"}
WORKER_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
CONTAINER_FIELDS = {"name", "image", "resources", "env", "volumeMounts"}
"""Fields of KubeRay's RayCluster (ray.io/v1) and of Kubernetes that the manifest may use. Others would be refused."""


def documents() -> list[dict[str, Any]]:
    """The objects of the manifest."""
    return list(yaml.safe_load_all(PAGE.read_text()))


def cluster() -> dict[str, Any]:
    """The specification of the cluster."""
    (found,) = (one for one in documents() if one["kind"] == "RayCluster")
    assert found["apiVersion"] == "ray.io/v1"
    return dict(found["spec"])


def groups() -> list[dict[str, Any]]:
    """The head's group and those of the workers."""
    return [cluster()["headGroupSpec"], *cluster()["workerGroupSpecs"]]


def test_every_field_is_known_and_none_is_missing() -> None:
    """Parameters of `ray start` are text, counts are in order, names are there."""
    spec = cluster()
    assert spec.keys() == CLUSTER_FIELDS
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["headGroupSpec"].keys() == {"rayStartParams", "template"}
    for group in spec["workerGroupSpecs"]:
        assert group.keys() == WORKER_FIELDS
        assert 1 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in groups():
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        assert container.keys() <= CONTAINER_FIELDS
        assert container["resources"]["limits"] == container["resources"]["requests"]


def test_the_head_answers_where_kuberay_asks() -> None:
    """KubeRay 1.5 asks the dashboard whether the head is well."""
    assert cluster()["headGroupSpec"]["rayStartParams"].get("include-dashboard") != "false"


def test_every_mount_has_its_volume() -> None:
    """Each pod has /dev/shm in memory, smaller than its memory; the run lies on a claim that the manifest makes."""
    claims = {one["metadata"]["name"] for one in documents() if one["kind"] == "PersistentVolumeClaim"}
    for group in groups():
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        shared = mounts["/dev/shm"]["emptyDir"]
        assert shared["medium"] == "Memory"
        assert gibibytes(shared["sizeLimit"]) < gibibytes(container["resources"]["limits"]["memory"])
        for volume in volumes.values():
            assert volume.get("persistentVolumeClaim", {}).get("claimName", "cartridge-run") in claims


def test_all_machines_have_one_version() -> None:
    """One image, and the version of Ray that is tested."""
    assert len({group["template"]["spec"]["containers"][0]["image"] for group in groups()}) == 1
    assert f"ray=={cluster()['rayVersion']}" in (ROOT / "constraints.txt").read_text()


def gibibytes(text: str) -> int:
    """A quantity such as 5Gi."""
    assert text.endswith("Gi")
    return int(text[:-2])
