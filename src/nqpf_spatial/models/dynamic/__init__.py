"""Dynamic panels: time lags as columns, corrections, impacts over horizons, stability, bootstrap."""
