"""The migrations: each a frozen step forward; env runs them on the connection it is handed."""
