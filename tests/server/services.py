"""A registry service for the servers that these tests start."""

from django.db import connection

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

    @remote_method
    def rows(self):
        return {"rows": (row for (row,) in _rows())}

    @remote_method(blocking=False)
    def rows_of_a_loop(self):
        return (row for (row,) in _rows())

    @remote_method
    def exit(self):
        raise SystemExit("a service gives up")

    @remote_method
    async def aexit(self):
        raise SystemExit("a service gives up")

    @remote_method(blocking=False)
    def exit_on_the_loop(self):
        raise KeyboardInterrupt


def _rows():
    """Asks the database only when it is read."""
    with connection.cursor() as cursor:
        yield from cursor.execute("SELECT 1 UNION SELECT 2")
