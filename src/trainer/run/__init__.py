"""A run's files: their names, their owner, its settings (`run.json`) and what it was made with, the rules and the network
that it keeps, its models, its statistics and evaluations, the players of a cluster, and the databases that `--db` names.
"""
