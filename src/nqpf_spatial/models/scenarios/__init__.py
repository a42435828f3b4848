"""What a fit says beyond its sample: predictions, forecasts, counterfactuals."""
