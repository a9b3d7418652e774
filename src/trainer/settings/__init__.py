"""What can be set: one dataclass per command, each setting declared once, without torch or NumPy.

Commands that share settings inherit them: `LoopConfig` has all those of `TrainerConfig` and `ActorConfig` that it doesn't
choose itself, such as paths. A game's recipe (`games/<game>/recipe.py`) is a `LoopConfig` with other defaults. The help text
of a flag is its field's docstring.
"""
