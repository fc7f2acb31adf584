"""Pictures of the dashboards, drawn with Grafana's own libraries in a headless browser."""
