"""Tests of RTMP applications: `RtmpCommunicator` without a server, `LiveRtmpServer` by sockets."""

from rtmp_channels.testing.communicator import RtmpCommunicator
from rtmp_channels.testing.live import LiveRtmpServer

__all__ = ["LiveRtmpServer", "RtmpCommunicator"]
