# SPDX-License-Identifier: Apache-2.0
"""The update server of these tests: HTTPS in a namespace that is the admin network of the box whose
programs run, with files that a test gives it, and answers that it makes up, cuts or holds."""
import contextlib
import os
import socket
import ssl
import subprocess
import threading

from net import Net, inside

ADDRESS, NAME = "10.99.0.8", "updates.example"


def keys(work):
    """Makes the keys once. Returns their folder. An emulated machine finds them valid by its own
    clock, because it was turned on later than they were made."""
    folder = work + "/server"
    if os.path.exists(folder):
        return folder
    os.makedirs(folder)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    for ca in ("ca", "foreign"):
        openssl("req", "-x509", *new, "-keyout", ca + ".key", "-out", ca + ".pem", "-days", "30", "-subj", "/CN=" + ca)
    openssl("req", *new, "-keyout", "key.pem", "-out", "asked.pem", "-subj", "/CN=" + NAME)
    with open(folder + "/extensions", "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:%s\n" % NAME)
    openssl("x509", "-req", "-in", "asked.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "extensions", "-out", "cert.pem")
    return folder


class Server:
    def __init__(self, work, ns=None, address=ADDRESS):
        """`work`: a folder for its keys. `ns`: a namespace that has the address; None: one is
        made."""
        self.folder = keys(work)
        # by path: the bytes of a file; a complete answer; after how many bytes an answer is cut, or
        # waits. `asked`: the paths that were asked for
        self.files, self.answers, self.cut, self.hold, self.asked = {}, {}, {}, {}, []
        self.held, self.go = threading.Event(), threading.Event()
        self.net, self.ns = Net("skup-"), ns
        if ns is None:
            self.ns = self.net.add("adm")
            self.net.address(self.ns, "lo", address + "/32")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder + "/cert.pem", self.folder + "/key.pem")
        with inside(self.ns):
            self.listener = socket.create_server((address, 443))
        threading.Thread(target=self.accept, args=(context,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.net.close()

    def declare(self, box, name=NAME, ca="ca", port=443):
        """Writes the settings as the daemon makes them from box.cfg
        (appliance/box/companions.c)."""
        box.admin = self.ns
        box.settings = "netns sekisho-admin\naddress %s\nport %d\nname %s\nca /update-ca.pem\n" % (ADDRESS, port, name)
        with open("%s/%s.pem" % (self.folder, ca), "rb") as f, open(box.folder + "/update-ca.pem", "wb") as g:
            g.write(f.read())

    def holds(self):
        return self.held.is_set()

    def let_go(self):
        self.go.set()
        self.hold.clear()

    def accept(self, context):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.session, args=(context, s), daemon=True).start()

    def session(self, context, s):
        with contextlib.suppress(OSError), context.wrap_socket(s, server_side=True) as c:
            text = b""
            while b"\r\n\r\n" not in text:
                data = c.recv(4096)
                if not data:
                    return
                text += data
            path = text.split()[1].decode("ascii")
            self.asked.append(path)
            if path in self.answers:
                c.sendall(self.answers[path])
            elif path not in self.files:
                c.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            else:
                self.give(c, path)

    def give(self, c, path):
        data = self.files[path]
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data))
        if path in self.hold:
            self.held.clear()
            self.go.clear()
            c.sendall(data[:self.hold[path]])
            self.held.set()
            self.go.wait(60)
        else:
            c.sendall(data[:self.cut.get(path, len(data))])
