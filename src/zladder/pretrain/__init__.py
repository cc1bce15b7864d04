"""Stage 5, pretrain: encoders learn from images without redshifts."""
