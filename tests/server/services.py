"""A registry service for the servers that these tests start."""

from amf_remoting.registry import remote_method, service


@service("echo")
class EchoService:
    @remote_method
    async def echo(self, value):
        return value

    @remote_method
    def add(self, left, right):
        return left + right

    @remote_method(connection=True)
    async def callme(self, call):
        return await call.connection.call("ping2", "are you there")
