"""How the loop learns Hex by default; meant for small boards, such as hex:size=5."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="hex",
    minutes=10,
    simulations=200,
    first_simulations=50,
    gumbel=True,
    random_openings=0.9,
    network="mlp",
    width=256,
    batch_size=512,
    lr=0.002,
    q_weight=0.5,
    average=0.999,
    passes=4,
    checkpoint_interval=200,
)
