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
