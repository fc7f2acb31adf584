"""One module per plotter: its command line, the grammar of its log, its sizes. Pure."""
