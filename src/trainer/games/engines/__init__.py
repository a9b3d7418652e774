"""What other programs call a game and its moves: `vocabulary.py`. A game can have words of its own in its `engine.py`."""

from trainer.games.engines.vocabulary import Vocabulary, vocabulary_of

__all__ = ["Vocabulary", "vocabulary_of"]
