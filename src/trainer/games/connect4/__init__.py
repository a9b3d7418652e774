"""Connect 4: rules, recipe, heuristic, solver, scored positions."""
