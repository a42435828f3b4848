"""A model under every combination of choices, and the specification curve."""
