"""The nursery: a small process that forks workers.

It has imported all that a worker needs and has neither threads nor an open store, so a worker is
there within milliseconds and inherits no locks. Where no other endpoint may be asked it leaves the
network first, if the system lets it: a second lock behind the words that the front refuses.

The front sends one byte and the worker's end of a socket, and is told the worker's number. When the
front is gone, the nursery ends, and with it all workers.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import socket
import sys

from server.engine.worker import Bench, work

NUMBER = 4
"""Bytes in which a worker's number is told."""

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Cut this process, and those that it forks, off from all networks, the loopback included.

    Returns:
        False where the system does not let it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_NEW_NETWORK) == 0 or libc.unshare(_NEW_USER | _NEW_NETWORK) == 0)


def run_nursery(plug: socket.socket, bench: Bench, *, alone: bool) -> None:
    """Fork workers until the front hangs up.

    Parameters:
        plug: this end of the socket to the front.
        bench: what workers work with.
        alone: leave the network.
    """
    if alone:
        leave_network()
    gc.freeze()  # so that pages stay shared with the workers
    gc.set_threshold(20_000, 10, 100)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the dead
    while True:
        data, descriptors, _, _ = socket.recv_fds(plug, 1, 1)
        if not data:
            return
        number = os.fork()
        if number == 0:
            _be_worker(plug, socket.socket(fileno=descriptors[0]), bench)
        for descriptor in descriptors:
            os.close(descriptor)
        plug.sendall(number.to_bytes(NUMBER, "big"))


def _be_worker(front: socket.socket, plug: socket.socket, bench: Bench) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        front.close()
        work(plug, bench)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as wire:
        told = pickle.loads(sys.stdin.buffer.read())
        run_nursery(wire, told[0], alone=told[1])
