"""Stage 8, report: figures and tables of what was found."""
