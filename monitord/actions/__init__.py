"""What a step can do: one file per kind, all of them in `ACTIONS`."""
