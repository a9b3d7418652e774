"""Other libraries that play Connect 4 with our model. Each is a program that prints how many positions it has played."""
