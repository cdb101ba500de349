#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes README's picture of the pages anew: the map of the demonstration's box, in both languages.
Needs a browser (images/deps browser) and a network of its own:
    tests/netns/alone tests/demo/picture.py"""
import base64
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import browser  # noqa: E402
import terminal  # noqa: E402
from crossings import crossings  # noqa: E402


def main():
    for lang, policy, whole in (("en", "site.cfg", "The whole picture"), ("ja", "site.ja.cfg", "全体を表示")):
        terminal.take_down()
        t = terminal.Terminal(policy=policy)
        t.wires()
        t.hosts()
        t.start_box()
        t.sekisho("apply", t.policy)
        for c in crossings(t)[:12]:
            c.attempt()
        with open(terminal.RUN + "/state/secrets/token", encoding="ascii") as f:
            token = f.read().strip()
        b = browser.Browser(t.net, None, lang, width=1440, height=960)
        try:
            b.size(1440, 960)
            b.open("https://%s/#map" % terminal.ADMIN_BOX)
            b.wait("return document.querySelector('#name') !== null", "the form of signing in")
            b.click("button[lang=%s]" % lang)
            b.click("#other-way")
            b.wait("return document.querySelector('#token') !== null", "the form for a token")
            b.type("#token", token)
            b.click("button[type=submit]")
            b.wait("return document.querySelector('svg path, svg line') !== null", "the map")
            b.run("[...document.querySelectorAll('button')].find(x => x.textContent === arguments[0])?.click()", whole)
            made = b.devtools("Page.captureScreenshot", format="png", clip={"x": 0, "y": 0, "width": 1440, "height": 960, "scale": 0.7})
            with open("docs/pictures/pages.%s.png" % lang, "wb") as f:
                f.write(base64.b64decode(made["data"]))
        finally:
            b.close()
            terminal.take_down()


main()
sys.stdout.flush()
os._exit(0)
