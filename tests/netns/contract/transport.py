# SPDX-License-Identifier: Apache-2.0
"""What a scanner of TLS servers says of the box: TLS 1.3 alone, and nothing weak in it."""
import json
import os
import shutil
import xml.etree.ElementTree as ET

from cases import Skip, expect
from net import sh


def sslscan(ns, host):
    root = ET.fromstring(sh("sslscan", "--no-colour", "--xml=-", host + ":443", ns=ns, timeout=120).stdout)
    test = root.find("ssltest")
    on = {p.get("type") + p.get("version") for p in test.findall("protocol") if p.get("enabled") == "1"}
    expect(on == {"tls1.3"}, "protocols: %s", on)
    ciphers = test.findall("cipher")
    expect(ciphers and all(c.get("sslversion") == "TLSv1.3" and int(c.get("bits")) >= 128 and c.get("strength") in ("strong", "acceptable") for c in ciphers), "%s", [c.attrib for c in ciphers])
    expect(not any(h.get("vulnerable") == "1" for h in test.findall("heartbleed")), "heartbleed")
    groups = [g.get("name") for g in test.findall("group")]
    expect(groups and all(int(g.get("bits")) >= 112 for g in test.findall("group")), "groups: %s", groups)
    return "%s; %s" % (", ".join(c.get("cipher") for c in ciphers), ", ".join(groups))


# What testssl.sh rates above LOW and is so on purpose, with the reason.
KNOWN = {
    "cert_chain_of_trust": "the box signs its own certificate, whose fingerprint its person compares",
    "cert_trust": "the same",
    "cert_validityPeriod": "ten years: it is no shorter than a box stands, since another one would have to be compared by a person again",
    "engine_problem": "of the scanner's own machine",
    "cert_revocation": "nobody revokes a certificate that nobody else signed",
}


def testssl(site, host, path):
    """testssl.sh over everything that it tries: no finding above LOW but those known."""
    program = os.environ.get("SEKISHO_TESTSSL") or shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        raise Skip("there is no testssl.sh (SEKISHO_TESTSSL says where, or Debian's package testssl.sh)")
    if os.path.exists(path):
        os.unlink(path)
    sh(program, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", path, host + ":443", ns=site.box.admin, timeout=900, check=False)
    with open(path, encoding="utf-8") as f:
        found = json.load(f)
    grave = [f for f in found if f["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "FATAL", "WARN") and f["id"].split(" ")[0] not in KNOWN]
    expect(len(found) > 60, "%d findings: it did not get far: %s", len(found), [f["finding"] for f in found][-3:])
    expect({f["id"]: f["severity"] for f in found}.get("TLS1_3") == "OK", "TLS 1.3")
    expect(not grave, "%s", [(f["id"], f["severity"], f["finding"]) for f in grave])
    return "%d findings, above LOW: %s" % (len(found), sorted({f["id"] for f in found if f["severity"] in ("MEDIUM", "HIGH", "CRITICAL")}) or "none")


def scanned(site, host):
    if shutil.which("sslscan") is None:
        raise Skip("there is no sslscan (images/deps test)")
    return sslscan(site.box.admin, host)
