"""Pure functions on numpy arrays: numpy and scipy only; no pandas, no labels, no warnings."""
