"""A run's folder: the names of its files, its settings (`run.json`), its statistics and its evaluations."""
