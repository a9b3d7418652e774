"""Measures how fast the trainer is, next to other libraries and to our targets: `python -m bench`, or `make bench`.

    parts/      one file per part: `measure(job)` returns the results; the list of parts is in `parts/__init__.py`
    support/    what several parts need: processes that run in turns, models, databases, how much work to do
    report/     a result and its target, the machine, the table and the page
    peers/      other libraries that play the same game with our model
    profiles/   `python -m bench.profiles` draws where the time goes

To add a part, write a file with `measure(job)` and add a line to the list.

Other programs slow the machine down from time to time. So two things that are compared run in turns (A B A B), and the ratio
is that of their medians. A time that is compared with nothing is the best of several runs.
"""
