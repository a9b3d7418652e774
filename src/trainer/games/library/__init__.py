"""Where games are: in the package, in a file, or in another package; and with which parameters.

A game is named in one of three ways, and `:name=value,...` sets its parameters:

    hex:size=9                 a game of this package: a folder of trainer/games
    ./mygame.py:size=9         a file with rules, which may also have a RECIPE; or a folder with rules.py and other parts
    mygame                     a game of another package, an entry point of the group `trainer.games` that names a module

The name under which a game's rows and models are kept, its env_id, is the `env_id` of its `GAME`, with the parameters that
differ from their defaults.

`names.py` takes names apart, `load.py` loads a game (`found_game.py`), and `registry.py` knows those of this process.
`source_file.py` runs a file with rules, `requirements.py` says what such a file must have, `chance.py` refuses random
numbers, and `stamp.py` has the hash of a game's rules. `parts.py` says what is wrong with a file beside the rules, and
`mistakes.py` why rules don't compile.
"""

from trainer.games.library.found_game import FoundGame
from trainer.games.library.names import ENV_IDS, OF_CONTRACT, PARTS, RULES_FILE, is_installed, with_parameters
from trainer.games.library.registry import adopt, find_game, has_rules, is_available, is_known, known_games
from trainer.games.library.source_file import run_file
from trainer.games.library.stamp import rules_differ, without_recipe

__all__ = [
    "ENV_IDS",
    "OF_CONTRACT",
    "PARTS",
    "RULES_FILE",
    "FoundGame",
    "adopt",
    "find_game",
    "has_rules",
    "is_available",
    "is_installed",
    "is_known",
    "known_games",
    "rules_differ",
    "run_file",
    "with_parameters",
    "without_recipe",
]
