"""How the loop learns dots and boxes by default: the board of 3 x 3 boxes in an hour. Smaller boards need fewer minutes."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="dots",
    minutes=60,
    simulations=200,
    first_simulations=50,
    gumbel=True,
    value_scale=1.0,
    random_openings=0.9,
    random_plies=18,  # long: what follows captures that nobody took is hard, and good play avoids it
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
    merge_repeats=True,
    checkpoint_interval=200,
)
