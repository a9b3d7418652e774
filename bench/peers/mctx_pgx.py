"""mctx and pgx with our weights: `python -m bench.peers.mctx_pgx latest.onnx 100 256 muzero_policy`, on all cores.

Prints how many positions it has played. As in pgx's AlphaZero example, the rules are the search's model, and each move is
one compiled step. `muzero_policy` is PUCT with Dirichlet noise, as ours is; the example uses `gumbel_muzero_policy`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import mctx
import numpy as np
import onnxruntime
import pgx

from bench.peers.common import report, weights_of

CELLS = 42


def main(model: Path, simulations: int, games: int, policy: str) -> None:
    """Play games side by side forever; a new game replaces a finished one."""
    env = pgx.make("connect_four")
    weights = {name: jnp.asarray(values) for name, values in weights_of(model).items()}

    def network(state: Any) -> tuple[Any, Any]:
        """Logits [B, A] and value [B] for the mover."""
        board = jnp.flip(state.observation, axis=1)  # pgx draws row 0 at the top; its planes are the mover's
        planes = jnp.moveaxis(board, 3, 1).reshape(len(board), 2 * CELLS)
        hidden = jnp.concatenate([planes, state.legal_action_mask], axis=1).astype(jnp.float32)
        for layer in ("body.0", "body.2"):
            hidden = jax.nn.relu(hidden @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"])
        logits = hidden @ weights["policy.weight"].T + weights["policy.bias"]
        value = jnp.tanh(hidden @ weights["value.weight"].T + weights["value.bias"])
        return logits, value[:, 0]

    def expand(_: Any, key: Any, action: Any, state: Any) -> tuple[Any, Any]:
        """One simulated move in every game: what mctx calls the recurrent function."""
        mover = state.current_player
        state = jax.vmap(env.step)(state, action)
        logits, value = network(state)
        output = mctx.RecurrentFnOutput(
            reward=state.rewards[jnp.arange(games), mover],
            discount=jnp.where(state.terminated, 0.0, -1.0),
            prior_logits=jnp.where(state.legal_action_mask, logits, jnp.finfo(jnp.float32).min),
            value=jnp.where(state.terminated, 0.0, value),
        )
        return output, state

    @jax.jit
    def move(state: Any, key: Any) -> Any:
        """Search, move, and start a new game in place of each that is over."""
        search_key, start_key = jax.random.split(key)
        logits, value = network(state)
        output = getattr(mctx, policy)(
            None,
            search_key,
            mctx.RootFnOutput(prior_logits=logits, value=value, embedding=state),
            expand,
            simulations,
            invalid_actions=~state.legal_action_mask,
        )
        state = jax.vmap(env.step)(state, output.action)
        fresh = jax.vmap(env.init)(jax.random.split(start_key, games))

        def renewed(new: Any, old: Any) -> Any:
            over = state.terminated.reshape(-1, *[1] * (old.ndim - 1))
            return jnp.where(over, new, old)

        return jax.tree.map(renewed, fresh, state)

    key = jax.random.PRNGKey(0)
    state = jax.jit(jax.vmap(env.init))(jax.random.split(key, games))
    check(model, network, env, state)
    played = 0
    while True:
        key, now = jax.random.split(key)
        state = jax.block_until_ready(move(state, now))
        played += games
        report(played)


def check(model: Path, network: Any, env: Any, state: Any) -> None:
    """Raise RuntimeError if the network's answers differ from ONNX Runtime's in a position after three moves."""
    for column in (0, 1, 1):
        state = jax.jit(jax.vmap(env.step))(state, jnp.full(len(state.current_player), column))
    observation = np.zeros((1, 2 * CELLS + 9), np.float32)
    observation[0, [0, 8]] = observation[0, CELLS + 1] = observation[0, 2 * CELLS : 2 * CELLS + 7] = 1
    observation[0, -1] = 1
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected = session.run(["policy_logits", "value"], {"observation": observation})
    found = network(state)
    if not np.allclose(expected[0][0], found[0][0], atol=1e-4) or not np.allclose(
        expected[1][0], found[1][0], atol=1e-4
    ):
        raise RuntimeError(f"the network answers {found[0][0]}, {found[1][0]} in JAX and {expected} in ONNX Runtime")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
