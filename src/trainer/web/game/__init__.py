"""What ties games to browsers: their games with analyses, and the threads that search. The rest is in `trainer.play`."""
