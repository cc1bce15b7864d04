"""The physics of the mock sky, shared by what makes it and what judges by it."""
