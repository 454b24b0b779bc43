"""The night shift: every fault of scenarios.json on real hosts, and what came of it in figures."""
