"""Stage 6, train: one run card becomes one trained run."""
