"""Keeps the state of every disk and takes full ones out of rotation."""
