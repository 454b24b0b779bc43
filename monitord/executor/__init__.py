"""The process that forks and logs in: it does only what it finds committed in the store."""
