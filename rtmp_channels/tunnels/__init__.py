"""RTMP inside HTTP and WebSocket, as ASGI applications: each runs sessions of its own."""
