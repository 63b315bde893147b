"""Passes bytes between clients and a server, and cuts each connection after some number of them, wherever that is."""

from __future__ import annotations

import random
import socket
import threading


class CuttingProxy:
    """`life`: the bytes that a connection lives, both ways together, from ... to."""

    def __init__(self, server: str, life: tuple[int, int], seed: int):
        host, _, port = server.rpartition(":")
        self.server, self.life, self.cuts = (host, int(port)), life, 0
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(self.server)
            except OSError:
                client.close()
                continue
            left = [self._random.randint(*self.life)]
            for source, target in ((client, server), (server, client)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._forward, args=(source, target, left), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, left: list[int]) -> None:
        try:
            while left[0] > 0 and (octets := source.recv(min(65_536, left[0]))):
                left[0] -= len(octets)
                target.sendall(octets)
            self.cuts += 1
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
