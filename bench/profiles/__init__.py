"""Where the time goes, as pictures: `python -m bench.profiles` writes docs/profile-*.svg.

CPU time of one thread is measured, so that other programs change it less.
"""
