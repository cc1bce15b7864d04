"""How a number was made: digests, sidecars, whole-or-nothing outputs, exit codes."""
