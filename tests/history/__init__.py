"""Tests of monitord.history."""
