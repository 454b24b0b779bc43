"""From YAML files to one immutable catalog, with errors that name the line and the cure."""
