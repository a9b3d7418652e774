"""How strong a player is: matches, intervals, Elo, and the quality of single moves."""
