"""The web page and its API: watch a run learn, play its newest model, look at what it is taught."""
