"""Impacts of the regressors: inference, the rows of the table, and views by order, unit and block."""
