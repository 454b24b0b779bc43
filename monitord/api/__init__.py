"""The control API on the core's Unix socket."""
