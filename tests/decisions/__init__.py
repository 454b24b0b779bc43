"""Tests of the pure decisions; a package, so that they can share `rows`."""
