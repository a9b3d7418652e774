"""Networks as ONNX files, and back.

`exporter.py` fills a graph with a network's newest weights and checks what it answers. `graph.py` writes the graph of the
networks of this package, `traced.py` that of any other network. `stored.py` makes a network of a model file
again. `start.py` makes the network of a new run; it may begin with a model, also one of a narrower network (`widening.py`).
"""

from trainer.export.exporter import Exporter
from trainer.export.start import begin_with, first_network

__all__ = ["Exporter", "begin_with", "first_network"]
