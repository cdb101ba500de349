# SPDX-License-Identifier: Apache-2.0
"""A person with a browser at a page of a box under test."""
import json
import os
import signal

import browser
from cases import Skip
from looks import WATCH, looks_right, other_colours, tablet
from people import HOST, PHRASE


class Desk:
    """`page`: the part of the address after "#"; `ready`: an element that it has when it can be
    used. `port`: another one for each person at the same time."""

    def __init__(self, site, page, ready, pictures, port=9515):
        if not browser.there():
            raise Skip("there is no browser (images/deps browser)")
        self.site, self.page, self.ready, self.pictures = site, page, ready, pictures
        self.b = browser.Browser(site.box.net, site.box.admin, "ja,en-US", port=port)
        self.b.devtools("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.b.size(1280, 900)

    def sit(self, name, lang, phrase=PHRASE, code=None, ready=None):
        """`ready`: the element that is shown instead of the page, if another one is expected."""
        b = self.b
        b.open("about:blank")
        b.open("https://%s/#%s" % (HOST, self.page))
        b.wait("return document.querySelector('header > button:last-child, #name') !== null", "the page")
        if b.run("return document.querySelector('#name') === null"):
            b.click("header > button:last-child")
        b.wait("return document.activeElement?.id === 'name'", "the form")
        b.click("button[lang=%s]" % lang)
        self.sign(name, phrase, code, ready)

    def sign(self, name, phrase=PHRASE, code=None, ready=None):
        """Fills in the sign-in form."""
        for field, text in (("#name", name), ("#passphrase", phrase), ("#code", code or self.site.paper(name))):
            self.b.fill(field, text)
        self.b.click("button[type=submit]")
        self.b.wait("return document.querySelector(%s) !== null" % json.dumps(ready or self.ready), "the page of %s" % name)

    def press(self, key):
        self.b.wait("const x = document.querySelector('[data-key=\"%s\"]'); return x !== null && x.getAttribute('aria-disabled') === null" % key, "%s can be pressed" % key)
        # The driver takes an element below a fixed bar for visible, but a person does not see it.
        self.b.run("if (document.querySelector('.stays, .contents') !== null) document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })", "[data-key=\"%s\"]" % key)
        self.b.click("[data-key=\"%s\"]" % key)

    def text(self, selector):
        return self.b.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def says(self, selector, word, what):
        self.b.wait("return (document.querySelector(%s)?.innerText ?? '').includes(%s)" % (json.dumps(selector), json.dumps(word)), what)

    def waits_no_longer(self, word, lang, picture):
        """While the box is stopped, a person presses this and sees the time pass. He stops it, and
        is told that nothing was changed."""
        daemon = self.site.box.daemon
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            self.press(word)
            self.b.wait("return /[2-5] (秒|s)/.test(document.querySelector('[data-key=waited]')?.innerText ?? '')", "the time to go")
            self.shot(picture, lang)
            self.b.click("[data-key=stop-waiting]")
            self.b.wait("return document.querySelector('[data-key=stopped]') !== null && document.querySelector('[data-key=waiting]') === null", "the end of the waiting", seconds=5)
        finally:
            os.kill(daemon.pid, signal.SIGCONT)

    def shot(self, name, lang):
        looks_right(self.b, name, lang)
        self.b.picture("%s/%s.%s.png" % (self.pictures, name, lang))
        if os.environ.get("SEKISHO_ALL"):
            with other_colours(self.b):
                self.b.picture("%s/%s-other.%s.png" % (self.pictures, name, lang))

    def tablet(self, name, lang):
        tablet(self.b, name, lang, "%s/%s-tablet" % (self.pictures, name))
