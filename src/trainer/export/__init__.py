"""Networks as ONNX files.

`exporter.py` fills a graph with a network's newest weights and checks what it answers. `graph.py` writes the graph of the
networks of this package, `traced.py` that of a network of somebody's own file.
"""

from trainer.export.exporter import Exporter

__all__ = ["Exporter"]
