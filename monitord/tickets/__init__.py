"""Where tickets go besides the embedded store: one file per backend, all in `BACKENDS`."""
