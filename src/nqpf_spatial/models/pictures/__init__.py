"""Pictures of a fit and of its impacts; what a result draws is reached through its methods."""
