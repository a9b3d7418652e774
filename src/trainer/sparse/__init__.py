"""Networks evaluated and differentiated through their active inputs, the inputs that are not 0.

Most numbers of an observation are 0, and so are half to nine tenths of the numbers after a ReLU. A matrix product multiplies
all of them. `forward.py` only adds up the weights of active inputs, and `backward.py` only adds up the gradients of those
weights. `network.py` says how a network and a batch are laid out in memory, `builder.py` makes such a network from weights,
and `lanes.py` provides vectors for compiled code. Nothing here imports torch.
"""
