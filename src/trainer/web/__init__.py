"""The web page and its API: watch a run learn, play its newest model, and browse the games it was trained on.

`http` holds what any web server needs, `runs` reads the files of training runs, `game` keeps the browsers' games and
searches for the model, and `api` answers the calls with them. `app` lists every route, `server` listens, and `static` is
the page itself.
"""
