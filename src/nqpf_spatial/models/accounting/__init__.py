"""Divergence accounting: which part of a model an inequality, and its change, belongs to."""
