"""Probes of services, healthy and broken; what is slow to start stands in tests/services."""
