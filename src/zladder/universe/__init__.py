"""The physics of the mock sky and of stars on pixels, shared by what makes it and what judges."""
