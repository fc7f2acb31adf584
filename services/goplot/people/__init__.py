"""Output for people and programs: tables and JSON."""
