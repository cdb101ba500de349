# SPDX-License-Identifier: Apache-2.0
"""What answers about a policy of 10,000 conduits cost: `ask`, `who-can`, `reach`, `diff` and
`prove` of 100 statements. Each line says the processor seconds that it took, the least of several
runs. What is in force is read in its sealed form; a text has to be read and checked first.

answers.py [--build build/release] [--conduits 10000]
"""
import argparse
import os
import resource
import subprocess
import tempfile

ZONES, ASSETS, RUNS = 100, 2000, 3


def text(n, without=None, other=None):
    """`without`: the number of a conduit that is left out; `other`: of one with another service."""
    zones = ["  z%d = { interfaces = [\"if%d\"]; networks = [\"10.%d.0.0/16\"]; class = \"ot\"; };" % (i, i, i) for i in range(ZONES)]
    assets = ["  a%d = { zone = \"z%d\"; addresses = [\"10.%d.%d.%d\"]; };" % (i, i % ZONES, i % ZONES, i // 250, i // ZONES % 250 + 1) for i in range(ASSETS)]
    services = ["  s%d = { protocol = \"modbus\"; ports = [\"tcp/%d\"]; allow = ( { commands = [\"read\"]; units = [\"%d\"]; }, { functions = [\"6\"]; holding = [\"%d-%d\"]; } ); };"
                % (i, 502 + i, i, 100 * i, 100 * i + 50) for i in range(50)]
    conduits = []
    for i in range(n):
        a = i % ASSETS
        b = (a * 7 + i // ASSETS * 13 + 1) % ASSETS
        if i != without:
            conduits.append("  { name = \"c%d\"; from = \"z%d\"; to = \"z%d\"; sources = [\"a%d\"]; destinations = [\"a%d\"]; services = [\"s%d\"]; purpose = \"p\"; owner = \"o\"; "
                            "review_by = \"2199-12-31\"; }" % (i, a % ZONES, b % ZONES, a, b, (i + (i == other)) % 50))
    nevers = ["  { from = \"z%d\"; to = \"z%d\"; commands = [\"program\"]; scope = \"chain\"; }" % (i, (i + 3) % ZONES) for i in range(100)]
    return "language_version = 1;\nsite = { name = \"large\"; };\nzones = {\n%s\n};\nassets = {\n%s\n};\nservices = {\n%s\n};\nconduits = (\n%s\n);\nnever = (\n%s\n);\n" % (
        "\n".join(zones), "\n".join(assets), "\n".join(services), ",\n".join(conduits), ",\n".join(nevers))


def seconds(args):
    """The least processor time of some runs, and the status."""
    best = None
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        status = subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = took if best is None else min(best, took)
    return best, status


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--build", default="build/release")
    ask.add_argument("--conduits", type=int, default=10000)
    words = ask.parse_args()
    program = os.path.join(words.build, "sekisho")
    with tempfile.TemporaryDirectory(prefix="sekisho-answers-") as folder:
        paths = {}
        for name, data in (("old", text(words.conduits)), ("less", text(words.conduits, without=77)), ("other", text(words.conduits, other=77))):
            paths[name] = os.path.join(folder, name + ".cfg")
            with open(paths[name], "w", encoding="utf-8") as f:
                f.write(data)
        on = ["--policy", paths["old"]]
        sealed = os.path.join(folder, "sealed")
        subprocess.run([program, "compile", paths["old"], "--to", "sealed", "-o", sealed], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        kept = ["--policy", sealed]  # as a box keeps what is in force
        rows = [("ask of what is in force", ["ask", "a0", "a1", "modbus", "write"] + kept, 0.05), ("who-can of that", ["who-can", "write", "a1"] + kept, 1),
                ("reach of that", ["reach", "z0"] + kept, 1), ("ask of a text", ["ask", "a0", "a1", "modbus", "write"] + on, 1),
                ("who-can of a text", ["who-can", "write", "a1"] + on, 1), ("reach of a text", ["reach", "z0"] + on, 1),
                ("diff, the same", ["diff", paths["old"], paths["old"]], 2), ("diff, one conduit less", ["diff", paths["old"], paths["less"]], 2),
                ("diff, one of another service", ["diff", paths["old"], paths["other"]], 2), ("prove 100 statements", ["prove", paths["old"]], 1)]
        print("%d conduits, %d zones, processor seconds" % (words.conduits, ZONES))
        for name, args, most in rows:
            took, status = seconds([program] + args)
            print("%-32s %6.2f s of %.2f  %s(status %d)" % (name, took, most, "" if took <= most else "MORE ", status), flush=True)


if __name__ == "__main__":
    main()
