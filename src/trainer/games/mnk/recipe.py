"""How the loop learns m,n,k-games by default: four in a row on a board 5 wide and 5 high in ten minutes."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="mnk",
    minutes=10,
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
