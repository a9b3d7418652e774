"""How the loop learns Go by default. Made for 5x5 on two cores (`go:size=5`); larger boards need more minutes."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="go",
    minutes=30,
    simulations=200,
    first_simulations=50,
    gumbel=True,
    random_openings=0.9,
    network="conv",
    width=192,
    batch_size=512,
    lr=0.002,
    q_weight=0.5,
    average=0.999,
    passes=4,
    checkpoint_interval=200,
)
