"""Stage 1, survey: skies that are simulated, fetched, or lie at a path."""
