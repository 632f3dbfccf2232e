"""RTMP in HTTP requests and in WebSocket frames."""
