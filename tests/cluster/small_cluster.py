"""A Ray cluster on this machine, of a head and nodes with one CPU each, on loopback. It ends with its standard input.

    python small_cluster.py FOLDER NODES

The first line of its output is the cluster's address. Then `add` on its standard input adds a node, and `remove` kills the
newest one; each is answered by a line with the number of nodes. FOLDER must be short: paths of sockets have a limit.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {
    "num_cpus": 1,
    "num_gpus": 0,
    "object_store_memory": 80 * 2**20,
    "node_ip_address": "127.0.0.1",
    "include_dashboard": False,
}


def main(folder: str, count: int) -> None:
    """Serve the cluster."""
    os.environ["RAY_TMPDIR"] = folder  # Ray reads it when it is imported
    Path(folder, "ray").mkdir()
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=SETTINGS)
    nodes = [cluster.add_node(**SETTINGS) for _ in range(count)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "add":
            nodes.append(cluster.add_node(**SETTINGS))
        else:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        print(len(nodes) + 1, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
