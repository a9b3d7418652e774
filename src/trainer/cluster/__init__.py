"""Self-play on several machines: players make games, one hub stores them.

A player (`player.py`) is an actor whose games go to a remote sink (`remote_sink.py`), as shipments (`shipment.py`), and
whose models come from the hub (`remote_model.py`). The hub (`hub.py`) is the only writer of the run's database and of its
actor_stats.json (`roster.py`). It offers the newest model (`shelf.py`) and the rules of the game (`parcel.py`), and refuses
players of other versions (`versions.py`). `transport.py` is what a player may ask of the hub.

Nothing of that knows Ray. The folder `on_ray` runs it on a Ray cluster, and is imported only then.
"""
