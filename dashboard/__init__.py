"""goplot's dashboards as code. `python -m dashboard` writes their JSON."""
