"""How the loop learns m,n,k-games by default: four in a row on a board 5 wide and 5 high in ten minutes."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="mnk",
    minutes=10,
    simulations=200,
    first_simulations=50,
    gumbel=True,
    value_scale=1.0,
    random_openings=0.9,
    network="conv",
    width=128,
    lines=48,
    units=256,
    activation="squared-relu",
    batch_size=512,
    lr=0.002,
    lr_warmup=300,
    q_weight=0.5,
    average=0.999,
    passes=4,
    checkpoint_interval=200,
)
