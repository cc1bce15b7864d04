"""From YAML files to checked, resolved settings and run cards."""
