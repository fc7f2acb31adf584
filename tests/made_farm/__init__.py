"""A made farm: what the collectors of many hosts would have written, in a real Prometheus."""
