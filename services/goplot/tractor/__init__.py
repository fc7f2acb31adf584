"""Runs one plot job from its reservation to its verified end."""
