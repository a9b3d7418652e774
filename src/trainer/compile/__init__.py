"""Plain Python functions at compiled speed.

`linker.py` is what others call. `source.py` is the text of a module of kernels, `fingerprint.py` the values that it uses,
`cache.py` the folder where compiled code is kept, and `overloads.py` the variants of one function there. `tables.py` warns
of arrays that are too large for that. `processor.py` says what the processor can do.
"""
