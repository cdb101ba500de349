# SPDX-License-Identifier: Apache-2.0
"""What a scanner of TLS servers says of the box: TLS 1.3 alone, and nothing weak in it."""
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


def scanned(site, host):
    if shutil.which("sslscan") is None:
        raise Skip("there is no sslscan (images/deps test)")
    return sslscan(site.box.admin, host)
