"""Settings that several commands share: each command's dataclass inherits those that it has."""
