"""What can be set: one dataclass per command, without torch or NumPy. What commands share as a group is declared once.

Commands that share settings inherit them: `LoopConfig` has all those of `TrainerConfig` and `ActorConfig` that it doesn't
choose itself, such as paths. A game's recipe (`games/<game>/recipe.py`) is a `LoopConfig` with other defaults. The help text
of a flag is its field's docstring.
"""
