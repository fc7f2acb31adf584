"""A closed Chia network: what a farm on Chia's simulator needs, in the tests and in the demo."""
