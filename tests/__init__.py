"""Tests of monitord. `tests.world` is what they happen in."""
