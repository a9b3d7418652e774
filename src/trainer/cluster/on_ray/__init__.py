"""The cluster on Ray: nothing outside of this folder imports Ray, and nothing imports this folder unless it is asked for.

`driver.py` is the process that the loop starts. It connects to the cluster (`connection.py`), starts the hub as a Ray actor
on its own machine (`hub.py`), and keeps a player at work on each node (`fleet.py`). `head.py` notices that the head of the
cluster is gone.
"""
