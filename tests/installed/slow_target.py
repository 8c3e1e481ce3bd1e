"""A target that takes as long as it is told to, and tells how long it truly took.

`slow_target.py SECONDS` listens on a port of 127.0.0.1 that it prints first. Then it prints, for
every request, its path and how long it took in microseconds, from the connection to the last word
written. The kernel's account of how long the process waited for a core is in that: the wait may
have come before the connection was accepted, and then no clock of its own has seen it.
"""

import asyncio
import sys


def waited():
    """How long this process was ready and did not run, in seconds."""
    with open("/proc/self/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[1]) / 1e9


class Target(asyncio.Protocol):
    """One connection, and the one request on it."""

    delay = float(sys.argv[1])

    def connection_made(self, transport):
        self.loop = asyncio.get_running_loop()
        self.transport, self.read = transport, b""
        self.since = self.loop.time()
        # What was waited just before may have been waited by this connection.
        self.late = waited() - Target.before
        Target.before = waited()

    def data_received(self, data):
        self.read += data
        if self.read.endswith(b"\r\n\r\n"):
            self.loop.call_at(self.since + self.delay, self.answer)

    def answer(self):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        took = self.loop.time() - self.since + self.late
        print(self.read.split()[1].decode(), int(took * 1e6), flush=True)
        self.transport.close()


async def serve():
    """Listens, and never ends."""
    Target.before = waited()
    server = await asyncio.get_running_loop().create_server(Target, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
