"""Turns the Chia log into metrics."""
