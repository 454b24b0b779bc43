"""What can be looked at: one file per kind, all of them in `PROBES`."""
