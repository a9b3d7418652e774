"""How the loop learns Breakthrough by default. The twenty minutes are for a board of 6 rows and 6 columns."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="breakthrough",
    minutes=20,
    simulations=100,
    first_simulations=40,
    gumbel=True,
    random_openings=0.9,
    network="conv",
    width=128,
    batch_size=256,
    lr=0.002,
    q_weight=0.5,
    average=0.999,
    passes=4,
    checkpoint_interval=200,
)
