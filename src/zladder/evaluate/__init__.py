"""Stage 7, evaluate: predictions, metrics, claims."""
