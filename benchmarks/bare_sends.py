"""What the kernel alone takes to send to many sockets of this machine: the floor of a fan-out."""

import os
import select
import signal
import socket
import time


def cost_of_a_send(connections: int, size: int, *, rounds: int = 60, pause: float = 0.04) -> float:
    """Microseconds of processor time; another process reads what is sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=connections) as server:
        pairs = []
        for _ in range(connections):
            reader = socket.create_connection(server.getsockname())
            writer, _ = server.accept()
            writer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            pairs.append((writer, reader))
    child = os.fork()
    if child == 0:
        _read([reader for _, reader in pairs])
    data = bytes(size)
    try:
        begin = time.process_time()
        for _ in range(rounds):
            for writer, _ in pairs:
                writer.send(data)
            time.sleep(pause)
        taken = time.process_time() - begin
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for pair in pairs:
            for end in pair:
                end.close()
    return 1e6 * taken / (rounds * connections)


def _read(readers: list[socket.socket]) -> None:
    poll = select.epoll()
    by_number = {reader.fileno(): reader for reader in readers}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while True:
        for number, _ in poll.poll(-1, 256):
            by_number[number].recv(65_536)
