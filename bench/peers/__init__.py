"""Other libraries that play with our model, each a program that prints how many positions it has played."""
