"""The rules by which goplot judges an inventory. Standard library and PyYAML only."""
