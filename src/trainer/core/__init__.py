"""What every command needs: errors, atomic files, JSON, locks, arguments, signals, output, Python files that are
run, packages.

It knows nothing of games or training.
"""
