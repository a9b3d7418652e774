"""What ties games to browsers, and the threads that search for them. The game itself is in `trainer.play`."""
