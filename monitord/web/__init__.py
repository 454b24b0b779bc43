"""The process that faces the network: pings, health and metrics; it holds no keys."""
