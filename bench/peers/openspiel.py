"""OpenSpiel's Python MCTS on our model: `python -m bench.peers.openspiel latest.onnx 100 connect_four 0`, on one core.

Prints how many positions it has played. State, rules and tree are OpenSpiel's own. The evaluator remembers its answers, as
the one of OpenSpiel's AlphaZero does, so each position is evaluated once.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyspiel
from open_spiel.python.algorithms import mcts

from bench.peers.common import report

CELLS, ACTIONS = 42, 7
CONNECT4 = "connect_four"


class OnnxEvaluator(mcts.Evaluator):
    """Prior and value of a state from a model file of ours."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._remembered = lru_cache(maxsize=2**16)(self._infer)

    def evaluate(self, state: Any) -> np.ndarray:
        """The value for each player."""
        _, value = self._answer(state)
        mover = state.current_player()
        return np.array([value, -value] if mover == 0 else [-value, value])

    def prior(self, state: Any) -> list[tuple[int, float]]:
        """(action, probability) of each legal action."""
        prior, _ = self._answer(state)
        return [(action, prior[action]) for action in state.legal_actions()]

    def _answer(self, state: Any) -> tuple[np.ndarray, float]:
        return self._remembered(observation_of(state).tobytes())

    def _infer(self, observation: bytes) -> tuple[np.ndarray, float]:
        row = np.frombuffer(observation, np.float32)
        logits, value = self._session.run(["policy_logits", "value"], {"observation": row[None]})
        legal = row[2 * CELLS : 2 * CELLS + ACTIONS] > 0
        prior = np.where(legal, np.exp(logits[0] - logits[0].max()), 0)
        return prior / prior.sum(), float(value[0, 0])


class UnsuitedEvaluator(OnnxEvaluator):
    """Prior and value of a state of any game, by a network of the same size as ours that is given other numbers.

    It sees OpenSpiel's observation, cut or filled with zeros to the length of ours, and a logit may stand for several of
    OpenSpiel's actions. With random weights the answers mean as little as those to the right numbers, and cost as much.
    """

    def __init__(self, model: Path) -> None:
        super().__init__(model)
        (self._numbers,) = (one.shape[1] for one in self._session.get_inputs())
        self._actions = self._session.get_outputs()[0].shape[1]

    def _answer(self, state: Any) -> tuple[np.ndarray, float]:
        observation = np.zeros(self._numbers, np.float32)
        shown = state.observation_tensor(0)[: self._numbers]
        observation[: len(shown)] = shown
        prior, value = self._remembered(observation.tobytes())
        legal = state.legal_actions()
        shares = prior[np.array(legal) % self._actions]
        every = np.zeros(max(legal) + 1)
        every[legal] = shares / shares.sum()
        return every, value

    def _infer(self, observation: bytes) -> tuple[np.ndarray, float]:
        row = np.frombuffer(observation, np.float32)
        logits, value = self._session.run(["policy_logits", "value"], {"observation": row[None]})
        return np.exp(logits[0] - logits[0].max()), float(value[0, 0])


def observation_of(state: Any) -> np.ndarray:
    """The observation that our models of Connect 4 expect, float32 [93], of a state that is not finished."""
    observation = np.zeros(2 * CELLS + ACTIONS + 2, np.float32)
    observation[: 2 * CELLS] = state.observation_tensor(0)[: 2 * CELLS]
    observation[[2 * CELLS + action for action in state.legal_actions()]] = 1
    observation[2 * CELLS + ACTIONS + state.current_player()] = 1
    return observation


def main(model: Path, simulations: int, name: str, seed: int) -> None:
    """Play games against itself forever, with noise at the root; each move is drawn in proportion to the visits."""
    game = pyspiel.load_game(name)
    evaluator = OnnxEvaluator(model) if name == CONNECT4 else UnsuitedEvaluator(model)
    random = np.random.RandomState(seed)
    bot = mcts.MCTSBot(
        game,
        uct_c=1.5,
        max_simulations=simulations,
        evaluator=evaluator,
        solve=True,
        random_state=random,
        child_selection_fn=mcts.SearchNode.puct_value,
        dirichlet_noise=(0.25, 1.0),
    )
    played = 0
    while True:
        state = game.new_initial_state()
        while not state.is_terminal():
            root = bot.mcts_search(state)
            visits = np.array([child.explore_count for child in root.children], float)
            chosen = random.choice(len(visits), p=visits / visits.sum())
            state.apply_action(root.children[chosen].action)
            played += 1
            report(played)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
