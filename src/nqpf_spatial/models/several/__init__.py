"""Several, combined or changing weights: labels and periods, likelihood, inference, impacts, shares."""
