"""How hosts are reached: local and ssh; facts, plugins and the runner."""
