"""What every command needs: errors, atomic files, JSON, locks, arguments, signals. It knows nothing of games or training."""
