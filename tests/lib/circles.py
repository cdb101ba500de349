# SPDX-License-Identifier: Apache-2.0
"""Checks that no files of a folder call each other in a circle, by the objects of build/release: nm
shows who defines a symbol and who uses it. mgmt/cli is also checked as a whole. Prints each
circle with the symbols of its shortest way, and then exits 1; builds nothing itself."""
import collections
import os
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
OBJECTS = "build/release"
PRODUCT = ("appliance", "dpi", "policy", "mgmt")
WHOLE = "mgmt/cli"  # its verbs have their own folders, but are one program


def sources():
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "--", *(p + "/*.c" for p in PRODUCT)], cwd=TOP, text=True)
    return [path[:-2] for path in listed.split() if os.path.exists(os.path.join(TOP, path))]


def symbols(paths):
    """{symbol: source that defines it}, {source: symbols that it uses from others}."""
    where, takes = {}, collections.defaultdict(set)
    out = subprocess.check_output(["nm", "-A", "-g", *(path + ".o" for path in paths)], cwd=os.path.join(TOP, OBJECTS), text=True)
    for line in out.splitlines():
        path, rest = line.split(".o:", 1)
        *_, kind, name = rest.split()
        if kind in "Uw":
            takes[path].add(name)
        else:
            where[name] = path
    return where, takes


def folders(paths):
    """{folder: {source: its name there}}."""
    found = collections.defaultdict(dict)
    for path in paths:
        folder, name = os.path.split(path)
        found[folder][path] = name
        if path.startswith(WHOLE + "/"):
            found[WHOLE + "/**"][path] = path[len(WHOLE) + 1:]
    return found


def calls(names, where, takes):
    """{file: {file: symbols}} within one folder."""
    graph = {name: collections.defaultdict(set) for name in names.values()}
    for path, name in names.items():
        for symbol in takes[path]:
            to = names.get(where.get(symbol))
            if to not in (None, name):
                graph[name][to].add(symbol)
    return graph


def ways(graph, start, inside):
    """{file: the file before it} on the shortest ways from `start`."""
    before, queue = {start: None}, collections.deque([start])
    while queue:
        at = queue.popleft()
        for to in sorted(graph[at]):
            if to in inside and to not in before:
                before[to] = at
                queue.append(to)
    return before


def circles(graph):
    """Sets of files that all reach each other."""
    reached = {name: set(ways(graph, name, graph)) for name in graph}
    found = {frozenset(b for b in reached[a] if a in reached[b]) for a in graph}
    return sorted((c for c in found if len(c) > 1), key=sorted)


def around(graph, circle):
    """The shortest circle in words."""
    best = None
    for start in sorted(circle):
        before = ways(graph, start, circle)
        for last in circle:
            if start in graph[last]:
                way = [start]
                while last is not None:
                    way.append(last)
                    last = before[last]
                if best is None or len(way) < len(best):
                    best = way[::-1]
    return "\n".join("    %s calls %s: %s" % (a, b, " ".join(sorted(graph[a][b]))) for a, b in zip(best, best[1:]))


def main():
    paths = sources()
    missing = [path + ".c" for path in paths if not os.path.exists(os.path.join(TOP, OBJECTS, path + ".o"))]
    if missing:
        print("no objects of %d sources in %s, `make all` makes them: %s" % (len(missing), OBJECTS, " ".join(missing[:8])))
        return 1
    where, takes = symbols(paths)
    graphs = {folder: calls(names, where, takes) for folder, names in sorted(folders(paths).items())}
    wrong = ["%s: a circle of %s\n%s" % (folder, " ".join(sorted(circle)), around(graph, circle)) for folder, graph in graphs.items() for circle in circles(graph)]
    print("\n".join(wrong) if wrong else "%d files, no circle" % len(paths))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
