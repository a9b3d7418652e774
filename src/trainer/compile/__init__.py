"""Plain Python functions at compiled speed: `linker.py` for others to call, the other files are its parts."""
