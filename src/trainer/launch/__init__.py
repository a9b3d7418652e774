"""The loop's parts: its processes on this machine (`local.py`, `child.py`), and what a person sees of it (`watch.py`)."""
