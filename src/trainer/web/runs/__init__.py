"""The training runs under the data folder, read from their files while other processes write them: statistics, models and
stored games. Any file may be missing, damaged or replaced at any moment; then a sentence says so.
"""
