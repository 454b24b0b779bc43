"""Ticket backends against a real SMTP server and a real HTTP server."""
