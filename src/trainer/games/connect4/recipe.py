"""How the loop learns Connect 4 by default; games without a recipe of their own are learned the same way."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="connect4",
    minutes=60,
    simulations=150,
    first_simulations=50,
    gumbel=True,
    value_scale=1.0,
    random_openings=0.9,
    fewest_random_plies=None,
    network="conv",
    width=128,
    units=256,
    activation="squared-relu",
    batch_size=512,
    lr=0.002,
    lr_warmup=300,
    q_weight=0.5,
    average=0.999,
    passes=2,
    merge_repeats=True,
    checkpoint_interval=200,
)
