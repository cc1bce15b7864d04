"""Redshift probability densities on a grid, and their scores."""
