"""The pages of docs/ that are made from the code, so that they cannot tell another story."""
