"""A communicator for applications that wait for threads, on machines that are busy."""

from rtmp_channels.testing import RtmpCommunicator

SECONDS = 20.0


class PatientCommunicator(RtmpCommunicator):
    """Waits longer; an application that raises is noticed only then, so not for tests of that."""

    async def receive_output(self, timeout=1):
        return await super().receive_output(max(timeout, SECONDS))

    async def wait(self, timeout=1):
        await super().wait(max(timeout, SECONDS))
