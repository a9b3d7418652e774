"""The names in a model file, by which its writer and its readers find each other. docs/formats.md says what they mean."""

OBSERVATION = "observation"
"""The input."""
POLICY_LOGITS = "policy_logits"
VALUE = "value"
OUTPUTS = (POLICY_LOGITS, VALUE)

ENV_ID = "env_id"
"""The entry of the metadata with the game."""
STEP = "step"
"""The entry with the training step."""
PROGRESS = "progress"
"""The entry with the share of the run that was done."""
RULES = "rules"
"""The entry with the hash of the game's rules."""
KIND, ARCHITECTURE = "architecture", "PolicyValueNet"
"""The entry with the kind of network. Those of this package and of a --network-file have ARCHITECTURE there, the former name
of a class, which other programs may look for."""
NETWORK_STAMP, NETWORK_WIDTH, NETWORK_BLOCKS = "network_file", "network_width", "network_blocks"
"""The entries with the hash of a --network-file, and with the size of the network that it made."""
