"""Benchmarks: ratios in one run. `make bench` runs them all; each module can be run by itself."""
