"""How fast the trainer is, beside its peers and its targets: `python -m bench`, or `make bench`.

`parts.py` lists what is measured, one file a part; a new part is a file with a function `measure(job)` and a line there.
`measured.py` is what a part returns, `turns.py` how two things are compared, `report.py` the table and the page.

The machine is never idle enough, so what is compared is measured in turn in one run (A B A B), and the medians are
divided. Times that stand alone are the best of several.
"""
