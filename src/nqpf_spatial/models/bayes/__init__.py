"""Posterior of a fit, and probabilities of models and weights."""
