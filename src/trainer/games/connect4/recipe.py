"""How the loop learns Connect 4 by default; games without a recipe of their own are learned the same way."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="connect4",
    minutes=60,
    simulations=300,
    first_simulations=100,
    gumbel=True,
    random_openings=0.9,
    network="conv",
    width=128,
    batch_size=512,
    lr=0.004,
    lr_warmup=300,
    q_weight=0.5,
    average=0.999,
    passes=4,
    checkpoint_interval=200,
)
