# SPDX-License-Identifier: Apache-2.0
"""A server of the tests: each session in a thread of its own."""
import socket
import struct
import threading


def each(listener, session):
    """Calls `session(socket)` for each client until the listener is closed. Answers are sent at
    once."""
    def accept():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=session, args=(s,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def plc(s):
    """Answers reads and writes in order; a session ends with its client."""
    try:
        while True:
            data = s.recv(1024)
            if not data:
                return
            if len(data) < 12:  # the stream ended within a request
                continue
            tid, _, _, unit, function, address, count = struct.unpack("!HHHBBHH", data[:12])
            if function == 3:
                s.sendall(struct.pack("!HHHBBB", tid, 0, 3 + 2 * count, unit, 3, 2 * count) + bytes(2 * count))
            else:
                s.sendall(struct.pack("!HHHBBHH", tid, 0, 6, unit, function, address, count))
    except OSError:
        pass
    finally:
        s.close()
