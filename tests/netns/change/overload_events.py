# SPDX-License-Identifier: Apache-2.0
"""A backup is restored while a queue is full. The workers of that queue read slowly on purpose, so
that it is full for long enough on any machine, while all other processes have enough time."""
import json
import os
import subprocess
import sys
import threading
import time

import seam
from net import sh, wait_for
from policy_events import NarrowedByCommand

HERE = os.path.dirname(os.path.abspath(__file__))
SLOW = 0.0005  # seconds for each packet


class RestoredInOverload(NarrowedByCommand):
    """Workers that recognise protocols are slow; those that judge commands notice nothing. The
    restored, narrower policy is on trial."""
    kind, flood = seam.NAMING, "nonsense"
    seam, lossless, exact = True, False, False
    kept = ("commands", "hold", "open", "observe", "shadow", "pick_up", "fast", "let_go")
    told = ("applied", "restored")

    def before(self, field):
        self.file, key = field.run_folder + "/kept.backup", field.run_folder + "/backup"
        if not os.path.exists(key + ".pem"):
            sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key + ".key", "-out",
               key + ".pem", "-days", "30", "-subj", "/CN=backup")
        if os.path.exists(self.file):
            os.unlink(self.file)
        field.apply_policy(self.new)
        self.ask(field, "backup", self.file, "--to", key + ".pem")
        super().before(field)

    def ask(self, field, *words):
        done = sh(field.build + "/sekisho", *words, "--json", "--socket", field.run_folder + "/run/control.sock", ns=field.ns("box"),
                  timeout=60)
        return json.loads(done.stdout)

    def restore(self, field, *options):
        return self.ask(field, "restore", self.file, "--key", field.run_folder + "/backup.key", "--confirm", "600", *options)

    def lost(self, field):
        """Packets that had no room in the queues of these workers."""
        word = ("naming", "commands")[self.kind]
        return sum(q["dropped_full"] + q["dropped_user"] for q in field.status()["queues"] if q["kind"] == word)

    def fire(self, field):
        field.seam.slow(self.kind, SLOW)
        flood = subprocess.Popen([sys.executable, HERE + "/flood.py", self.flood, "60", "1", os.environ["PREFIX"]] +
                                 [field.mac(z) for z in ("ops", "ot", "it")], stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            before = self.lost(field)
            wait_for(lambda: self.lost(field) > before, 30, "a full queue")
            self.announced = self.restore(field, "--dry-run")
            between = self.lost(field)
            self.answer = self.restore(field)
            self.done_at = time.monotonic()
            self.grown = between - before, self.lost(field) - between
        finally:
            flood.terminate()
            flood.wait()
            field.seam.slow(self.kind, 0)
        for reader in field.net.captures + [field.ops, field.ot]:
            wait_for(reader.caught_up, 30, "the flood in a capture")

    def wrong(self, field, states):
        yield from super().wrong(field, states)
        if not all(self.grown):
            yield "no queue was full before and during the restore: %s" % (self.grown,)
        if field.status()["generation"]["state"] != "waiting":
            yield "what was restored is not on trial: %s" % field.status()["generation"]

    def after(self, field):
        field.sekisho("rollback")
        sh("conntrack", "-F", ns=field.data)
        threading.Event().wait(1.2)  # a full queue is not counted again for a second


class RestoredInOverloadOfCommands(RestoredInOverload):
    """Workers that judge commands are slow: packets without room are lost and repeated, unless the
    policy lets them pass. The workers still load the table and answer."""
    kept = ("fast", "let_go")
    kind, flood = seam.COMMANDS, "readings"


OVERLOADS = (RestoredInOverload, RestoredInOverloadOfCommands)
