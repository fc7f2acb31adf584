"""What an inventory says of hosts that were looked at. Pure."""
