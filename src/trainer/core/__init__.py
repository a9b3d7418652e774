"""What every command needs: errors, atomic files, JSON, locks, arguments, log, output, signals, processes, listening
sockets, Python files that are run, packages.

It knows nothing of games or training.
"""
