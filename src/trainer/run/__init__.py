"""A run's folder: the names of its files, its owner, its settings (`run.json`), the rules that it keeps, its statistics and
its evaluations.
"""
