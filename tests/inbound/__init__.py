"""Alerts and results that others send."""
