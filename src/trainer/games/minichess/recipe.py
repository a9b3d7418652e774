"""How the loop learns minichess by default."""

from trainer.settings.loop import LoopConfig

RECIPE = LoopConfig(
    env_id="minichess",
    minutes=60,
    simulations=120,
    first_simulations=30,
    gumbel=True,
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
    cache=2**15,  # 16 MiB per thread; a larger one was not tried
)
