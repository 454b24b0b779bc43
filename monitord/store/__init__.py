"""The rows: one writer, many readers, each change one transaction."""
