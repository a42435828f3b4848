"""``fit.explain()``: computed facts, and the sentences that carry them in two languages."""
