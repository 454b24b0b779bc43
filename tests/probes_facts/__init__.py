"""The probes that judge facts, plugins and records."""
