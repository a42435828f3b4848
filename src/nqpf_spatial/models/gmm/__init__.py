"""Spatial two-stage least squares and generalised moments."""
