# SPDX-License-Identifier: Apache-2.0
"""Events of the daemon's processes."""
import os
import shutil
import signal
import subprocess
import sys
import threading

from event import Event, Killed, Stopped, WorkerLost, signal_all
from net import wait_for


class WorkerKilled(WorkerLost, Killed):
    role = "dpi"
    kept = ("hold", "open")


class WorkerStopped(WorkerKilled):
    def fire(self, field):
        old = field.pids("dpi")
        signal_all(field, "dpi", signal.SIGSTOP)
        for _ in range(3):  # a worker only counts as hung while somebody waits for its answer
            field.poke_lanes()
        wait_for(lambda: not set(field.pids("dpi")) & set(old) or field.poke_lanes(), 6, "workers anew")
        wait_for(field.running, 6, "workers at work")


class GateKilled(WorkerKilled):
    role = "gate"


class GateStopped(WorkerLost, Stopped):
    role = "gate"
    kept = ("hold", "open")

    def fire(self, field):
        old = field.pids("gate")
        signal_all(field, "gate", signal.SIGSTOP)
        wait_for(lambda: not set(field.pids("gate")) & set(old) or field.poke_lanes(), 6, "gates anew")
        wait_for(field.running, 6, "every role at work")


class EnforceKilled(Killed):
    role = "enforce"


class JournalKilled(Killed):
    role = "journal"


class TapKilled(Killed):
    role = "tap"


class MgmtKilled(Killed):
    role = "mgmt"


class EnforceStopped(Stopped):
    role = "enforce"


class JournalStopped(Stopped):
    role = "journal"


class TapStopped(Stopped):
    role = "tap"


class MgmtStopped(Stopped):
    role = "mgmt"


class SupervisorKilled(WorkerLost):
    """The whole daemon dies and is started again."""
    told = ("booted",)

    def fire(self, field):
        field.kill()
        field.start()
        field.ready()


class DaemonRestarted(SupervisorKilled):
    """A person restarts the service."""

    def fire(self, field):
        field.daemon.terminate()
        field.daemon.wait(10)
        field.start()
        field.ready()


class ReplacedByANewVersion(SupervisorKilled):
    """The programs are replaced, as by a package manager. Roles die before the daemon is started
    again, and their successors have the version of the running daemon."""

    def before(self, field):
        super().before(field)
        self.was = field.build
        self.folder = field.run_folder + "/version"
        os.makedirs(self.folder, exist_ok=True)
        for name in ("sekishod", "sekisho", "sekisho-compile", "sekisho-webauthn"):
            shutil.copy(field.build + "/" + name, self.folder)
        field.kill()
        field.build = self.folder
        field.start()
        field.ready()

    def replace(self):
        for name in ("sekishod", "sekisho", "sekisho-compile", "sekisho-webauthn"):
            path = self.folder + "/" + name
            with open(path, "rb") as f:
                program = f.read()
            with open(path + ".new", "wb") as f:
                # after its last section, where nobody reads it
                f.write(program + b"of another version")
            os.chmod(path + ".new", 0o755)
            os.rename(path + ".new", path)

    def end_old(self, field):
        field.daemon.terminate()
        field.daemon.wait(10)

    def begin_new(self, field):
        field.start()
        field.ready()
        wait_for(lambda: not field.status()["busy"] and field.verified()[0], 10, "the new version's start to be done")

    def fire(self, field):
        self.replace()
        for role in ("enforce", "journal", "tap", "gate"):
            old = field.pids(role)
            signal_all(field, role, signal.SIGKILL)
            wait_for(lambda r=role, o=old: field.running() and not set(field.pids(r)) & set(o), 6, role + " anew")
        self.end_old(field)
        self.begin_new(field)

    def after(self, field):
        field.kill()
        field.build = self.was
        field.start()


class SupervisorStopped(Event):
    def fire(self, field):
        os.kill(field.daemon.pid, signal.SIGSTOP)
        try:
            threading.Event().wait(1.0)  # the time for which it is stopped
        finally:
            os.kill(field.daemon.pid, signal.SIGCONT)
        wait_for(field.running, 6, "every role at work")


class BusyMachine(Event):
    """For a second, a real-time process on each core competes with the box."""
    lossless = False

    def fire(self, field):
        rivals = [subprocess.Popen(["chrt", "-r", "1", sys.executable, "-c", "import time\ne=time.time()+1\nwhile time.time()<e: pass"])
                  for _ in range(os.cpu_count())]
        for r in rivals:
            r.wait()


ROLES = (WorkerKilled, WorkerStopped, GateKilled, GateStopped, EnforceKilled, JournalKilled, TapKilled, MgmtKilled, EnforceStopped,
         JournalStopped, TapStopped, MgmtStopped, SupervisorKilled, DaemonRestarted, ReplacedByANewVersion, SupervisorStopped,
         BusyMachine)
