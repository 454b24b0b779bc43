"""What is shipped for Prometheus and Grafana, asked by their own tool."""
