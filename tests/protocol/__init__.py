"""The RTMP protocol floor, without I/O."""
