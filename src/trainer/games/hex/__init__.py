"""Hex: rules, recipe."""
