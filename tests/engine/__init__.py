"""Tests of the engine's parts in memory, where a scenario cannot say the case."""
