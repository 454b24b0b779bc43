"""The script by which a host tells what was done to it; facts and evidence both send it."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("changes.sh").read_text(encoding="utf-8")
"""Defines the shell function `changes SECONDS USERS…`; its head says what it prints."""
