"""Networks evaluated and differentiated by their active inputs, those that are not 0.

Most numbers of an observation are 0, and so are a half to nine tenths of those behind a ReLU. A product of matrices
multiplies them all. `forward.py` adds up the weights of the inputs that are active, `backward.py` adds up the gradient of
those weights alone. `layers.py` says how a network and a batch lie in memory, `lanes.py` is vectors for compiled code.
Nothing here imports torch.
"""
