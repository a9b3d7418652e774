"""What a GPU does. `make bench-gpu` runs `play.py` and `learning.py`; `overlap.py` needs no GPU."""
