"""What docs/reliability.md promises, tried by force: `make torture`. The tests beside this folder run a short form."""
