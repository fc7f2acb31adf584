"""Decides when the next plot starts."""
