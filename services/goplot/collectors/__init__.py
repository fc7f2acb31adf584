"""Write metrics for the textfile collector of node_exporter."""
