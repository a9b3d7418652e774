"""How the loop learns tic-tac-toe by default."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="tictactoe",
    minutes=1 / 3,
    simulations=100,
    random_openings=0.9,
    network="mlp",
    width=256,
    batch_size=256,
    lr=0.003,
    q_weight=0.5,
    average=0.999,
    passes=8,
    merge_repeats=True,
    checkpoint_interval=200,
)
