# SPDX-License-Identifier: Apache-2.0
"""What a stranger or a careless program may send instead of what the document describes:
parameters, bodies, request targets and heads. Each has the allowed results."""
import re
import urllib.parse

CLASSES = ["", "0", "1", "-1", "-0", "+1", "1.0", "1.5", "1e3", "0x10", "1_0", "9" * 30, str(2 ** 63 - 1), str(2 ** 63), str(2 ** 64 - 1), str(2 ** 64), "NaN", "inf", "true", "null", "None",
           "a", "A", "%31", "%00", "%", "%zz", "%ff", "%c0%af", "1%20", "'", "''--", '"', "<x>", "..", "../x", "..%2f", "a" * 127, "a" * 128, "a" * 5000, "a+b", "a,b", "a;b", "a=b", "a&", "[1]", "{}", "$x", "`x`",
           "|x", "~", "*", "\\x", "#", "%0d%0aX:%201", b"\xff", b"\xc0\xaf", b"\x80", "\u3042".encode(), b"1\x00", b"1\x01", b"\x7f", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
GOOD = {"after": "0", "limit": "1", "since": "2026-11-20T08:10:11", "conduit": "reads", "verdict": "deny", "zone": "it", "asset": "none", "host": "10.73.0.0/24", "severity": "warning", "texts": "0",
        "lang": "en", "generation": "1", "kind": "drop", "protocol": "modbus", "reason": "no_conduit", "command": "write,6,read_coils", "value": "0-9", "flow": "1", "until": "2026-11-20T08:10:11"}
# For these operations, the schema alone does not decide whether a value makes sense. NARROWER: they
# have a time that the box may not know.
NARROWER = {"policy", "ask", "effective", "rules", "picture"}
NAMED = {"flows", "ask"}  # operations with names that must exist in the policy in force
REFUSED = (400, 404, 413, 414, 431)


def takes(schema, text):
    """Whether a value matches its schema; None: the schema alone does not decide."""
    if not isinstance(text, str):
        return False
    if schema.get("type") == "integer":
        return re.fullmatch("-?[0-9]+" if schema["minimum"] < 0 else "[0-9]+", text) is not None and schema["minimum"] <= int(text) <= schema["maximum"]
    if "enum" in schema:
        return text in schema["enum"]
    return None if re.search(schema["pattern"], text) else False


def join(pairs):
    """A query; in bytes if one of its values is bytes."""
    raw = b"&".join(k.encode() + b"=" + (v if isinstance(v, bytes) else v.encode()) for k, v in pairs)
    return raw if any(isinstance(v, bytes) for _, v in pairs) else raw.decode()


def values(schema):
    yield from CLASSES
    if schema.get("type") == "integer":
        for bound in (schema["minimum"], schema["maximum"]):
            yield from (str(bound + d) for d in (-1, 0, 1))
    for word in schema.get("enum", ()):
        yield from (word, word.upper(), word + "x", word[:-1])


def queries(op, given, rng):
    """(query, statuses) of a read operation."""
    described = {p["name"]: p for p in op.get("parameters", ()) if p["in"] == "query"}
    for name, p in described.items():
        others = [(k, v) for k, v in given.items() if k != name]
        good = given.get(name, GOOD.get(name, "1"))
        for v in values(p["schema"]):
            taken = takes(p["schema"], v)
            narrow = taken is None or op["operationId"] in NARROWER
            if op["operationId"] in NAMED and isinstance(v, str) and takes(p["schema"], urllib.parse.unquote(v)):
                # these operations use a percent-encoded value undecoded, so some refuse it
                yield join(others + [(name, v)]), (200, *REFUSED)
                continue
            yield join(others + [(name, v)]), REFUSED if taken is False else (200, 400) if narrow else (200,)
        if name in GOOD or name in given:
            yield join(others + [(name, good)]), (200, 400) if op["operationId"] in NAMED else (200,)
        yield join(others + [(name, good), (name, good)]), (400,)
        yield join(others + [(name.upper(), good)]), (400,)
        yield join(others + [(name + "x", good)]), (400,)
        yield join(others + [(name, good), ("", "")]), (400,)
        if p.get("required"):
            yield join(others), (400,)
    base = join(list(given.items()))
    for tail in ("x=1", "x", "=", "=1", "&", "&&", "x=1&x=2", "token=1", "x[]=1", "x%3d1", "abcdefghijklmnopqrstuvwxyz=1", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1", "?", "/", "_method=POST"):
        yield (base + "&" + tail if base else tail), (400,)
    if not given:
        yield "", (400,)
    for _ in range(20):
        yield bytes(rng.randrange(0x21, 256) for _ in range(rng.randrange(1, 60))), REFUSED


WRONG = [None, True, False, 0, 1, -1, 1.5, 1e300, 2 ** 63 - 1, 2 ** 63, 2 ** 64, "", "1", "x", "\u0000", "x" * 40000, [], [1], [None], [[]], {}, {"a": 1}, "\ufeff\u202e\u6e2f"]


def bodies(schema, base):
    """Bodies that differ from a valid one in one key or in none."""
    yield base
    for key, s in schema["properties"].items():
        for v in WRONG:
            yield dict(base, **{key: v})
        for which, d in (("maxLength", 0), ("maxLength", 1)):
            if which in s:
                yield dict(base, **{key: "x" * (s[which] + d)})
        for d in (-1, 0, 1):
            if "maximum" in s:
                yield dict(base, **{key: s["maximum"] + d})
        if s.get("type") == "array" and key in base:
            one = base[key][0]
            yield dict(base, **{key: [one] * (s.get("maxItems", 1) + 1)})
            yield from (dict(base, **{key: [v]}) for v in WRONG)
            if isinstance(one, dict):
                for inner in one:
                    yield from (dict(base, **{key: [dict(one, **{inner: v})]}) for v in WRONG if v != "x" * 40000)
                    yield dict(base, **{key: [{k: v for k, v in one.items() if k != inner}]})
                yield dict(base, **{key: [dict(one, more=1)]})
        yield {k: v for k, v in base.items() if k != key}
    for more in ("x", "Order", "order ", "__proto__", "", "revision\u0000"):
        yield dict(base, **{more: 1})
    yield from (x for x in WRONG if not isinstance(x, str) or len(x) < 100)


def targets(path, host):
    """A path in every form that some server accepts for it."""
    name = path.rsplit("/", 1)[1]
    head = path[:-len(name)]
    double = "".join("%%25%02x" % ord(c) for c in path[1:])
    return [head + "%%%02x" % ord(name[0]) + name[1:], head + "%%25%02x" % ord(name[0]) + name[1:], head + name[:-1] + "%%%02X" % ord(name[-1]), "/" + "".join("%%%02x" % ord(c) for c in path[1:]), "/" + double,
            path.replace("/", "%2f"), path.replace("/", "%2F"), path.replace("/", "%252f"), "/" + path[1:].replace("/", "%2f"), path.replace("/", "%5c"), path.replace("/", "\\"), path.replace("/", "//"),
            path.replace("/", "/./"), path.replace("/", "/%2e/"), "/x/.." + path, "/ui/.." + path, "/ui/../../.." + path, "/ui/%2e%2e" + path, "/ui/..%2f" + path[1:], "/ui/..;" + path, "/.;" + path, "/..%c0%af" + path,
            "/ui/%252e%252e" + path, "/ui/script/.." + path, "/ui/script" + path, "/;" + path, path + "/", path + "//", path + "/.", path + "/..", path + "/../" + name, path + ".", path + "..", path + "...", path + ".json",
            path + "%20", path + "%00", path + "%00.js", path + "%0a", path + "%0d%0a", path + "%09", path + ";x", path + ";/ui/style", path + ";jsessionid=1", path + "#", path + "#/ui/style", path + "?", path + "?/ui/style",
            path + "~", path + "*", path + "\\", path + "\\..\\", path + "%3f", path + "%23", path.upper(), path.title(), head + name.title(), "/API" + path[4:], "/" + path, "//" + host + path, "/%2f" + path, "\\" + path, path[1:],
            "." + path, ".." + path, path.replace("/", "%c0%af"), path.replace("/", "%e0%80%af"), path.replace("/", "%f0%80%80%af"), path.replace("/", "%u002f"), path.replace("s", "%c1%b3"),
            path.replace("/", "\u2215").encode(), path.replace("/", "\uff0f").encode(), path.encode().replace(b"/", b"\xc0\xaf"), path.replace("a", "\uff41").encode(), path.encode() + b"\xff", path.encode() + b"\x00", path.encode() + b"\x7f",
            "http://" + host + path, "https://" + host + path, "HTTPS://" + host.upper() + path, "https://" + host + ":443" + path, "https://localhost" + path, "https://x@" + host + path, "https://" + host + "//" + path, "https://" + path,
            "file://" + path, "x:" + path, host + ":443", "*", "/*", "/" + "../" * 20 + path, "/" + "a/" * 20 + "../" * 20 + path, path + "/" + "a" * 3000]


# For a path that needs a login.
HEADS = ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: ::1", "X-Real-IP: 127.0.0.1", "X-Client-IP: 127.0.0.1", "True-Client-IP: 127.0.0.1", "CF-Connecting-IP: 127.0.0.1", "Forwarded: for=127.0.0.1;proto=https;host=localhost",
         "X-Forwarded-Host: localhost", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /ui", "X-Forwarded-User: admin", "Remote-User: admin", "X-Remote-User: admin", "X-Auth-User: admin", "X-WEBAUTH-USER: admin",
         "X-SSL-Client-Verify: SUCCESS", "X-Client-Cert: x", "X-Original-URL: /ui/style", "X-Rewrite-URL: /ui/style", "X-Original-URI: /api/help", "X-Accel-Redirect: /ui/style", "X-HTTP-Method-Override: GET", "X-HTTP-Method: GET",
         "X-Method-Override: GET", "Authorization: ", "Authorization: Basic YWRtaW46YWRtaW4=", "Authorization: Negotiate x", "Proxy-Authorization: Bearer x", "WWW-Authenticate: Bearer", "Cookie: admin=true", "Cookie: session=1",
         "Connection: Cookie", "Connection: Authorization, close", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
         "Upgrade: TLS/1.0", "Range: bytes=0-10", "If-None-Match: *", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT", "Max-Forwards: 0", "Via: 1.1 x", "TE: trailers", "Trailer: Authorization", "Origin: https://localhost",
         "Referer: https://localhost/", "Sec-Fetch-Site: same-origin", "Accept: text/html", "Accept-Encoding: gzip", "Accept-Language: ../../etc/passwd", "User-Agent: () { :;}; echo x", "X-Api-Version: 0", "Destination: /ui/style", "Depth: infinity",
         "Content-Type: application/json", "Service-Worker: script", "X:" + "a" * 4000, "Cookie" + "\t: x=1", "Host: localhost", "Host: ", "Host: " + "a" * 3000, "Host: x\r\nHost: y", "host: x\r\n y", "Host: 127.0.0.1:8080", "Host: a b", "Host: \xff"]

# A request whose end is given twice, or in an unusual form. (A length after a line that ends with
# LF alone counts, as RFC 9112 allows. Then it is one request: no proxy in front of the box could
# read it in another way.)
FRAMES = ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity",
          "Transfer-Encoding: identity, chunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
          "Transfer-Encoding:\r\n chunked", "X: y\nTransfer-Encoding: chunked", "transfer-encoding: CHUNKED", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;x=y", "Transfer-Encoding: \x0bchunked",
          "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 0", "Content-Length: 5, 5", "Content-Length: 0, 5", "Content-Length: +5", "Content-Length: -1", "Content-Length: 0x5",
          "Content-Length: 05", "Content-Length: 5 5", "Content-Length: 5;x", "Content-Length: 99999999999999999999", "Content-Length: ", "Content-Length : 5", "Content-Length:\r\n 5", "Content-Length: 5\x0b",
          "Content-Length: 00", "Content-Length: 0\x00"]
SECOND = "GET /ui/icon HTTP/1.1\r\nHost: x\r\n\r\n"


def requests(paths, host):
    """(name, bytes, whether the connection has to end afterwards)."""
    def whole(method, target, *heads, hostname=host):
        target = target.encode("utf-8") if isinstance(target, str) else target
        lines = (["Host: " + hostname] if hostname is not None else []) + list(heads)
        return method.encode() + b" " + target + b" HTTP/1.1\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    for path in paths[:3]:
        for t in targets(path, host):
            yield "target %r" % t, whole("GET", t), False
    for head in HEADS:
        named = head.lower().startswith("host:")
        yield "head %r" % head, whole("GET", paths[0], head, hostname=None if named else host), False
        if named or head.startswith("X-"):
            yield "head %r on a page" % head, whole("GET", "/", head, hostname=None if named else host), False
    for path in paths[:6]:
        for name in ("X-Original-URL", "X-Rewrite-URL", "X-Accel-Redirect", "X-Forwarded-Uri"):
            yield "%s: %s on a page" % (name, path), whole("GET", "/", name + ": " + path), False
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            yield "%s on POST %s" % (name, path), whole("POST", path, name + ": GET", "Content-Length: 0"), False
    for method in ("get", "Get", "GET\t", "\tGET", "GETT", "G\x00ET", "CONNECT", "PROPFIND", "MOVE", "TRACK", "DEBUG", "PRI", "SEARCH", "BREW", "A" * 2000):
        yield "method %r" % method, whole(method, paths[0]), False
    for text in ("GET %s\r\n\r\n", "GET %s HTTP/0.9\r\n\r\n", "GET %s HTTP/1.0\r\n\r\n", "GET %s HTTP/2.0\r\nHost: x\r\n\r\n", "GET %s HTTP/1.1\r\n\r\n", "GET  %s  HTTP/1.1\r\nHost: x\r\n\r\n", "GET %s HTTP/1.1 x\r\nHost: x\r\n\r\n",
                 "GET %s http/1.1\r\nHost: x\r\n\r\n", "GET\t%s\tHTTP/1.1\r\nHost: x\r\n\r\n", "GET %s HTTP/1.1\nHost: x\n\n", "GET %s HTTP/1.1\r\n Host: x\r\n\r\n", "GET %s HTTP/11\r\nHost: x\r\n\r\n", "GET %s HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
                 "GET %s HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "\r\n\r\nGET %s HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET %s HTTP/1.1\r\nHost: x\r\n\r\n"):
        yield "line %r" % text, (text % paths[0]).encode(), True
    for target, more in (("GET /", ()), ("POST /api/v1/login", ("Content-Type: application/json",)), ("POST /api/v1/change", ("Content-Type: application/json",)), ("POST /api/v1/records", ("Content-Type: application/json",)), ("POST /api/v1/logout", ("Content-Type: application/json",))):
        method, path = target.split()
        for frame in FRAMES:
            yield "frame %r of %s" % (frame, target), whole(method, path, frame, *more) + b"0\r\n\r\n" + SECOND.encode(), True
