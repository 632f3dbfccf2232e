"""Live streams of one process: one publisher, many players, each packet chunked once."""
