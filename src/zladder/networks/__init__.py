"""Neural networks; one module each."""
