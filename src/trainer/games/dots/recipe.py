"""How the loop learns dots and boxes by default; meant for small boards, such as dots:rows=2,columns=2."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="dots",
    minutes=10,
    simulations=200,
    first_simulations=50,
    gumbel=True,
    random_openings=0.9,
    random_plies=12,  # a whole game of 2x2: what follows captures that nobody took is hard, and good play avoids it
    network="mlp",
    width=256,
    batch_size=512,
    lr=0.002,
    q_weight=0.5,
    average=0.999,
    passes=4,
    merge_repeats=True,
    checkpoint_interval=200,
)
