"""A Ray cluster of two machines, both of them processes on loopback."""

import contextlib
import logging
import os

import pytest

# A busy machine needs longer.
os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
_STORE = 100 * 2**20


@contextlib.contextmanager
def two_nodes(**second):
    """Yields the cluster and its second node, of one processor each."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    options = {"num_cpus": 1, "object_store_memory": _STORE}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={**options, "include_dashboard": False},
    )
    try:
        node = cluster.add_node(**options, **second)
        ray.init(
            address=cluster.address,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        yield cluster, node
    finally:
        ray.shutdown()
        cluster.shutdown()
