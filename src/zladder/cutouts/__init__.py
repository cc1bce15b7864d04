"""Stage 3, cutouts: frames become stamps, one shard of fields at a time."""
