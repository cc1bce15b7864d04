"""Stage 2, catalogs: native tables become standard ones; matching and selection."""
