# SPDX-License-Identifier: Apache-2.0
"""A server of the tests: each session in a thread of its own."""
import socket
import threading


def each(listener, session):
    """`session(socket)` for whoever connects, until the listener is closed. Answers leave at once."""
    def accept():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=session, args=(s,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
