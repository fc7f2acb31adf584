"""Chia's RPC."""
