"""The official monitoring-plugins and monitord's own probes, asked about the same conditions."""
