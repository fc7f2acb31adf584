"""A module a plotter: its command line, the grammar of its log, its sizes. Pure."""
