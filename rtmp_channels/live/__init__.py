"""Live streams on connections: what joins sessions and their applications to the streams' hub."""
