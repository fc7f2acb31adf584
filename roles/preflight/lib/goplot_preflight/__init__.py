"""The rules by which goplot validates an inventory. Standard library and PyYAML only."""
