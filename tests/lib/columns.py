# SPDX-License-Identifier: Apache-2.0
"""Comments no wider than 100 columns; a tab goes to the next eighth column. `python3
tests/lib/columns.py [PATH...]` counts the comment lines that are wider, by language; --list
names them. --fold folds those of C and of languages with `#`: the rest of a line goes to the
next one, and a comment beside code goes above it. It checks that the code stays the same."""
import ast
import collections
import io
import os
import re
import subprocess
import sys
import tokenize
import unicodedata

WIDEST = 100
C = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.S)
TYPESCRIPT = re.compile(r"/(?:\\[^\n]|[^/*\\\n])(?:\\[^\n]|[^/\\\n])*/[gimsuy]*(?=[.,)])|" + C.pattern + r"|`(?:\\.|[^`\\])*`", re.S)
LANGUAGES = {".c": "C", ".h": "C", ".def": "C", ".ts": "TypeScript", ".mjs": "TypeScript", ".py": "Python", ".mk": "make"}
# A comment that a tool reads, or that has a meaning only in its place.
FIXED = re.compile(r"NOLINT|cppcheck-suppress|clang-format o|SPDX-License|noqa:|^#!")


def width(line):
    n = 0
    for c in line:
        n += 8 - n % 8 if c == "\t" else 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return n


def language(path, text):
    if text.startswith("#!"):
        return "Python" if "python" in text.split("\n")[0] else "shell"
    return LANGUAGES.get(os.path.splitext(path)[1], "make" if os.path.basename(path) == "Makefile" else None)


def commented(text, what):
    """The numbers of lines, from 0, that hold a comment."""
    if what in ("C", "TypeScript"):
        for m in (C if what == "C" else TYPESCRIPT).finditer(text):
            if m.group()[:2] in ("//", "/*"):
                yield from range(text.count("\n", 0, m.start()), text.count("\n", 0, m.end()) + 1)
    elif what == "Python":
        before = tokenize.NEWLINE
        for t in tokenize.generate_tokens(io.StringIO(text).readline):
            if t.type == tokenize.COMMENT:
                yield t.start[0] - 1
            elif t.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                yield from range(t.start[0] - 1, t.end[0])
            before = before if t.type in (tokenize.COMMENT, tokenize.NL) else t.type
    else:
        yield from (n for n, line in enumerate(text.split("\n")) if re.search(r"(?:^|\s)#(?:\s|$)", line))


def wide(path, text):
    """(number from 1, columns, line) of each comment line that is too wide; () for an unknown
    language."""
    what = language(path, text)
    lines = text.split("\n")
    numbers = sorted(set(commented(text, what))) if what else []
    return [(n + 1, width(lines[n]), lines[n]) for n in numbers if width(lines[n]) > WIDEST and not FIXED.search(lines[n])]


def code(text):
    return " ".join(C.sub(lambda m: " " if m.group()[:2] in ("//", "/*") else m.group(), text).split())


ITEM = re.compile(r"(?:[-*] |\d+\. )")
COLUMN = re.compile(r".{0,72}?\S(?: {2,}| *\t[\t ]*)(?=\S)")
ROW = re.compile(r"(?:`?[\w, ]{1,24}`?: |[A-Z_]{3,}\b)")


def fill(first, rest, lines):
    """Fits the lines of a comment's text, given with their prefixes: the rest of a long line goes
    to the line below, or to a new one."""
    done = []
    queue = list(lines)
    while queue:
        line = queue.pop(0)
        prefix = rest if done else first
        indent = re.match(r"\s*", line).group()
        if width(prefix + line) <= WIDEST or FIXED.search(line):
            done.append(line)
            continue
        if line.startswith("LINK: "):
            cut = line.rfind(" ", 6, WIDEST - width(prefix) + 1)
            done.append(line[:cut] if cut > 0 else line)
            if cut > 0:
                queue.insert(0, "LINK: " + line[cut + 1:])
            continue
        column = COLUMN.match(line)
        cut = max((i for i in range(len(column.group() if column else indent) + 1, len(line)) if line[i] == " " and width(prefix + line[:i]) <= WIDEST), default=0)
        if cut == 0:
            done.append(line)
            continue
        more = line[cut:].strip()
        done.append(line[:cut].rstrip())
        below = queue[0] if queue else ""
        deeper = re.match(r"\s*", below).group()
        item = column or ITEM.match(line.strip())
        hang = re.sub(r"[^\t]", " ", column.group()) if column else indent + " " * (len(item.group()) if item else 0)
        ended = line.rstrip().endswith((".", ";", ":"))
        joins = (below.strip() and not ITEM.match(below.strip()) and not FIXED.search(below) and not below.startswith("LINK: ")
                 and (abs(len(deeper) - len(hang)) < 2 if column else len(deeper) > len(indent) if item else len(deeper) == len(indent))
                 and not COLUMN.match(below) and not (ended and ROW.match(below.strip())))
        if joins:
            queue[0] = deeper + more + " " + below.strip()
        else:
            queue.insert(0, hang + more)
    return done


def folded(comment, indent):
    """A comment on lines of its own, folded."""
    inner = comment[2:-2]
    lines = inner.split("\n")
    opens = len(lines) > 1 and not lines[0].strip()
    body = [re.sub(r"^[ \t]*\* ?", "", x) if n else x.removeprefix(" ") for n, x in enumerate(lines)]
    closes = len(lines) > 1 and not lines[-1].strip()
    body = body[opens:len(body) - closes if closes else None]
    tail = "" if closes else " */"
    if not closes:
        body[-1] = body[-1].rstrip() + tail
    filled = fill(indent + (" * " if opens else "/* "), indent + " * ", body)
    while len(filled) > 1 and (filled[-1] == "*/" or " " not in filled[-1].removesuffix(" */")) and filled[-2].count(" ") > 4:
        # The last line never has only one word, or only the end mark.
        head, _, word = filled[-2].rpartition(" ")
        filled[-2:] = [head, word + " " + filled[-1].lstrip()]
    out = "\n".join((indent + " * " + x).rstrip() if n or opens else "/* " + x for n, x in enumerate(filled))
    return ("/*\n" if opens else "") + out + ("\n" + indent + " */" if closes else "")


def statement(text, begin, lead):
    """The line above which a comment beside code goes: before the lines of its brackets, of its
    macro, and before a line that a tool reads."""
    while begin:
        above = text.rfind("\n", 0, begin - 1) + 1
        line = text[above:begin]
        before = re.sub(r"/\*.*?\*/", "", line, flags=re.S).strip()
        plain = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|/\*.*?\*/", "", lead, flags=re.S)
        if plain.count(")") <= plain.count("(") and not re.search(r"^[^#*]*[\w=&|+]$", before) and not line.endswith("\\\n") and "NOLINTNEXTLINE" not in line:
            break
        begin, lead = above, line + lead
    return begin


def fold(text):
    for _ in range(8):
        before = text
        for m in reversed(list(C.finditer(text))):
            if m.group()[:2] != "/*":
                continue
            begin = text.rfind("\n", 0, m.start()) + 1
            end = text.find("\n", m.end())
            end = len(text) if end < 0 else end
            if all(width(x) <= WIDEST for x in text[begin:end].split("\n")) or FIXED.search(m.group()) and "\n" not in m.group():
                continue
            if re.fullmatch(r"/\* -+ .* -{9,} \*/", m.group()):
                text = text[:m.end() - 3 - (width(text[begin:end]) - WIDEST)] + text[m.end() - 3:]
                continue
            lead, behind = text[begin:m.start()], text[m.end():end]
            indent = re.match(r"\s*", lead).group()
            if not lead.strip():
                if not behind.strip():
                    text = text[:m.start()] + folded(m.group(), indent) + text[m.end():]
            elif not behind.strip() and not lead.lstrip().startswith("}"):
                words = " ".join(x.strip().removeprefix("* ") for x in m.group()[2:-2].split("\n")).strip()
                begin = statement(text, begin, lead)
                lead, indent = text[begin:m.start()], re.match(r"[ \t]*", text[begin:]).group()
                text = text[:begin] + indent + folded("/* " + words + " */", indent) + "\n" + lead.rstrip() + text[m.end():]
            elif not behind.strip() and lead.lstrip().startswith("}") and lead.rstrip().endswith("{"):
                text = text[:m.start()].rstrip() + "\n" + indent + "\t" + folded(m.group(), indent + "\t") + text[m.end():]
        if text == before:
            break
    return text


# ---- languages whose comments begin with # ---------------------------------------------------

HASH = {"Python", "shell", "make"}
RULER = re.compile(r"(\s*# -{4} .* )-{9,}$")


def hash_code(text, what):
    """What has to stay as it is. Only the line ends of a docstring may move."""
    if what != "Python":
        return [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = " ".join(node.value.value.split())
    return ast.dump(tree)


def fold_document(lines, first, last):
    """A docstring: its quotes stay where they are."""
    indent = re.match(r"\s*", lines[first]).group()
    alone = last > first and lines[last].strip() == '"""'
    inner = [lines[first].strip()] + [x.removeprefix(indent) for x in lines[first + 1:last + 1 - alone]]
    return [(indent + x).rstrip() for x in fill(indent, indent, inner)] + [lines[last]] * alone


def fold_hash(text, what):
    lines = text.split("\n")
    documents, beside = {}, {}
    if what == "Python":
        before = tokenize.NEWLINE
        for t in tokenize.generate_tokens(io.StringIO(text).readline):
            if t.type == tokenize.COMMENT:
                beside[t.start[0] - 1] = t.start[1]
            elif t.type == tokenize.STRING and before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                documents[t.start[0] - 1] = t.end[0] - 1
            before = before if t.type in (tokenize.COMMENT, tokenize.NL) else t.type
    else:
        beside = {n: len(x) - len(x.lstrip()) for n, x in enumerate(lines) if x.lstrip().startswith("#")}
    done, n = [], 0
    while n < len(lines):
        line = lines[n]
        if n in documents:
            last = documents[n]
            long = any(width(x) > WIDEST for x in lines[n:last + 1]) and not FIXED.search(lines[last])
            done += fold_document(lines, n, last) if long else lines[n:last + 1]
            n = last + 1
        elif n in beside and line[:beside[n]].strip() == "":
            last = n
            while last + 1 < len(lines) and beside.get(last + 1) == beside[n] and not lines[last + 1][:beside[n]].strip():
                last += 1
            indent = line[:beside[n]]
            block = [x[beside[n] + 1:].removeprefix(" ") if not RULER.match(x) and not FIXED.search(x) else None for x in lines[n:last + 1]]
            k = 0
            while k < len(block):
                if block[k] is None:
                    x = lines[n + k]
                    done.append(x if width(x) <= WIDEST or not RULER.match(x) else x[:WIDEST])
                    k += 1
                    continue
                until = k
                while until < len(block) and block[until] is not None:
                    until += 1
                part = lines[n + k:n + until]
                wide_part = any(width(x) > WIDEST for x in part)
                done += [(indent + "# " + x).rstrip() for x in fill(indent + "# ", indent + "# ", block[k:until])] if wide_part else part
                k = until
            n = last + 1
        elif n in beside and width(line) > WIDEST and not FIXED.search(line[beside[n]:]):
            indent = re.match(r"\s*", line).group()
            words = line[beside[n] + 1:].strip()
            above = [(indent + "# " + x).rstrip() for x in fill(indent + "# ", indent + "# ", [words])]
            at = len(done)
            done[at:at] = above
            done.append(line[:beside[n]].rstrip())
            n += 1
        else:
            done.append(line)
            n += 1
    return "\n".join(done)


def main(words):
    listing, folding = "--list" in words, "--fold" in words
    paths = [w for w in words if not w.startswith("--")]
    files = subprocess.run(["git", "ls-files", "--", *paths], stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    lines, found = collections.Counter(), collections.Counter()
    for path in files:
        if not path or os.path.islink(path):
            continue
        try:
            with open(path, encoding="utf-8") as f:
                text = f.read()
        except UnicodeDecodeError:
            continue
        what = language(path, text)
        if not what:
            continue
        if folding and what == "C":
            new = fold(text)
            if code(new) != code(text):
                sys.exit(path + ": the code would change")
            if new != text:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(new)
                text = new
        if folding and what in HASH:
            new = fold_hash(text, what)
            if hash_code(new, what) != hash_code(text, what):
                sys.exit(path + ": the code would change")
            if new != text:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(new)
                text = new
        lines[what] += len(set(commented(text, what)))
        for n, columns, line in wide(path, text):
            found[what] += 1
            if listing:
                print("%s:%d: %d columns: %s" % (path, n, columns, line.strip()))
    for what in lines:
        print("%s: %d of %d lines with comments over %d columns" % (what, found[what], lines[what], WIDEST))


if __name__ == "__main__":
    main(sys.argv[1:])
