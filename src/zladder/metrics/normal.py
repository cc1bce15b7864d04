"""What turns robust scatters into the standard deviation of a normal distribution."""

from __future__ import annotations

NMAD_FACTOR = 1.4826  # sigma over the median absolute deviation: 1 / Phi^-1(3/4)
IQR_FACTOR = 1.349  # interquartile range over sigma
