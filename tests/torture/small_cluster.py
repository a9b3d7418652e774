"""A Ray cluster on this machine, of a head and nodes with one CPU each, on loopback. It ends with its standard input.

    python small_cluster.py FOLDER NODES

The first line of its output is the cluster's address. Then `add` on its standard input adds a node, and `remove` kills the
newest one; each is answered by a line with the number of nodes. FOLDER must be short: paths of sockets have a limit.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
from waiting import PATIENCE

SETTINGS: dict[str, Any] = {
    "num_cpus": 1,
    "num_gpus": 0,
    "object_store_memory": 80 * 2**20,
    "node_ip_address": "127.0.0.1",
    "include_dashboard": False,
}
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    "RAY_health_check_timeout_ms": "60000",
}
"""For all processes of the cluster: no reports to Ray's makers; a head that is gone is given up after seconds; a node is
given up if it answers nothing for minutes, as on a busy machine. One that was killed refuses connections, and is found at
once."""


class SmallCluster:
    """The processes of this script."""

    def __init__(self, nodes: int, settings: dict[str, Any] | None = None) -> None:
        """`settings` replaces some of SETTINGS."""
        self._folder = Path(tempfile.mkdtemp(prefix="c", dir="/tmp"))
        command = [sys.executable, __file__, str(self._folder), str(nodes), json.dumps(SETTINGS | (settings or {}))]
        paths = os.pathsep.join(
            filter(None, (str(Path(__file__).parent.parent / "support"), os.environ.get("PYTHONPATH")))
        )
        self._log = open(self._folder / "cluster.log", "wb")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | ENVIRONMENT | {"PYTHONPATH": paths},
        )
        self.address = self._line()
        assert self.address, (self._folder / "cluster.log").read_text()

    def ask(self, word: str) -> None:
        """Add or remove a node."""
        assert self._process.stdin is not None
        print(word, file=self._process.stdin, flush=True)
        assert self._line(), (self._folder / "cluster.log").read_text()

    def kill(self, title: str) -> None:
        """SIGKILL the newest process whose title begins so, such as that of an actor."""
        process = max(self._found(title), key=lambda one: one.create_time())
        process.kill()
        process.wait()

    def kill_head(self) -> None:
        """SIGKILL the processes that make the first node the head."""
        raylet = min(self._found("raylet"), key=lambda one: one.create_time())
        for process in (*self._found("gcs_server"), raylet):
            process.kill()

    def close(self) -> None:
        """End all."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE / 20)
        except subprocess.TimeoutExpired:  # its head is gone
            self._process.kill()
            self._process.wait()
        for child in children:
            if child.is_running():
                child.kill()
        self._log.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _found(self, title: str) -> list[psutil.Process]:
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [child for child in children if Path(title_of(child)).name.startswith(title)]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def title_of(process: psutil.Process) -> str:
    """What a process calls itself; empty if it is gone."""
    try:
        return " ".join(process.cmdline()[:1])
    except psutil.Error:
        return ""


def main(folder: str, count: int, settings: dict[str, Any]) -> None:
    """Serve the cluster."""
    os.environ["RAY_TMPDIR"] = folder  # Ray reads it when it is imported
    Path(folder, "ray").mkdir()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=settings)
    nodes = [cluster.add_node(**settings) for _ in range(count)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "add":
            nodes.append(cluster.add_node(**settings))
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print(len(nodes) + 1, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
