"""Facts about hosts, from psutil and from the remote script."""
