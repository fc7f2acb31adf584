"""Benchmarks of the services: `python -m tests.bench`."""
