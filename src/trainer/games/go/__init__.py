"""Go: rules and recipe."""
