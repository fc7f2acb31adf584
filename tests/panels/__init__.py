"""The dashboards' panels, asked of a Prometheus as Grafana asks."""
