"""Dots and boxes: rules, recipe."""
