"""The RTMP client, against a small server here and the demo site."""
