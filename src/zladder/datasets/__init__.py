"""Stage 4, datasets: samples become model inputs with splits."""
