"""What each metric id means in one line, and which of them a convention calls outliers."""

from __future__ import annotations

from zladder.metrics.conventions import CONVENTIONS

# Kinds of label (column z_true_kind).
KIND_WORDS = {"spec": "spectroscopic", "photo": "many-band photometric", "mock": "the mock's own"}

FORMULAS = {
    "bias_mean": "mean of dz",
    "bias_median": "median of dz",
    "bias_biweight": "biweight location of dz, c = 6",
    "sigma_nmad": "1.4826 × median of |dz − median dz|",
    "sigma_nmad0": "1.4826 × median of |dz|, about zero",
    "sigma_iqr": "(Q75 − Q25) / 1.349 of dz",
    "sigma_biweight": "root of the biweight midvariance of dz, c = 9",
    "rms_dz": "root mean square of dz, outliers and bias_mean included",
    "std_dz": "standard deviation of dz, bias_mean removed",
    "mse_z": "mean of (z_phot − z_true)², not divided by 1 + z",
    "fout_05": "fraction with |dz| > 0.05",
    "fout_15": "fraction with |dz| > 0.15",
    "fout_dc1": "fraction with |dz| > max(0.06, 3 sigma_iqr)",
    "fout_bw2": "fraction further than 2 sigma_biweight from bias_biweight",
    "fout_3sig": "fraction with |z_phot − z_true| > 3 of its own uncertainty",
    "fcat_1": "fraction with |z_phot − z_true| > 1, not divided by 1 + z",
    "loss_tanaka": "mean of 1 − 1 / (1 + (dz / 0.15)²)",
}
SIGNED = ("bias_mean", "bias_median", "bias_biweight")
# |dz| limit of the outlier ids that can be drawn as lines in a z_phot-z_true plane.
OUTLIER_LIMITS = {"fout_05": 0.05, "fout_15": 0.15}


def outlier_id(convention: str) -> str:
    """Return the outlier id with a fixed limit that a convention prints first, else `fout_15`."""
    family = CONVENTIONS[convention]
    return next((name for name in family if name in OUTLIER_LIMITS), "fout_15")
