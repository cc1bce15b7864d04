"""zladder: from survey pixels and catalogues to galaxy redshifts, one rung at a time."""

__version__ = "0.1.0"
