"""Tables of objects: reading five formats, writing Parquet with units and UCDs."""
