# SPDX-License-Identifier: Apache-2.0
"""A real browser in a namespace: Debian's Chromium through chromedriver (W3C WebDriver), with a
temporary profile."""
import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from net import SLOWNESS, inside, wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
PATIENCE = 60  # seconds that a page may take to show something; only a failure takes them all


def there():
    return os.path.exists(CHROMIUM) and os.path.exists(DRIVER)


def shows_certificates():
    """Whether the tools are there that put a certificate into a person's store (images/deps
    browser)."""
    return shutil.which("certutil") is not None and shutil.which("pk12util") is not None


class Browser:
    """`languages` as in a person's settings: "ja,en-US"."""

    def __init__(self, net, ns, languages, port=9515, width=1280, height=900, names=None, certificate=None, zone="Asia/Tokyo"):
        """`names`: names of hosts with their addresses, as in a hosts file. `certificate`:
        (certificate, key, address) that stands in the person's own store, and is shown to that
        address without a question, by a policy of whoever manages the person's computer."""
        self.ns, self.port = ns, port
        self.home = tempfile.mkdtemp(prefix="skB-")
        self.log = os.path.join(self.home, "driver.log")
        self.net = net
        command = [DRIVER, "--port=%d" % port]
        if certificate is not None:
            command = self._managed(*certificate) + command
        self.driver = net.spawn(command, ns=ns, log=self.log, env=dict(os.environ, HOME=self.home, LC_ALL="C.UTF-8", TZ=zone))
        wait_for(self._answers, 20, "chromedriver")
        options = {"binary": CHROMIUM, "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-crash-reporter", "--disable-breakpad", "--disable-features=OptimizationGuideOnDeviceModel,Translate", "--enable-precise-memory-info", "--user-data-dir=" + self.home + "/profile",
            "--window-size=%d,%d" % (width, height), "--lang=" + languages.split(",", 1)[0], "--accept-lang=" + languages, "--js-flags=--expose-gc"],
            "prefs": {"intl.accept_languages": languages}}
        if names:
            options["args"].append("--host-resolver-rules=" + ", ".join("MAP %s %s" % n for n in names.items()))
        # The box's certificate is self-signed; the test of the role checks its contents.
        wanted = {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.process = None
        begun = self.ask("POST", "", {"capabilities": {"alwaysMatch": wanted}}, timeout=120)
        self.session, self.process = begun["sessionId"], begun["capabilities"]["goog:processID"]

    def _managed(self, certificate, key, address):
        """Sets up the store with NSS's own tools, and the policy in a mount namespace of this
        browser alone. Returns the command that starts the driver."""
        def run(*words):
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        store, bundle = self.home + "/.pki/nssdb", self.home + "/person.p12"
        os.makedirs(store)
        run("certutil", "-N", "-d", "sql:" + store, "--empty-password")
        run("openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", "person", "-passout", "pass:x", "-out", bundle)
        run("pk12util", "-d", "sql:" + store, "-i", bundle, "-W", "x", "-K", "")
        policy = self.home + "/policy.json"
        with open(policy, "w", encoding="utf-8") as f:
            json.dump({"AutoSelectCertificateForUrls": [json.dumps({"pattern": address, "filter": {}})]}, f)
        os.makedirs("/etc/chromium", exist_ok=True)
        script = 'mount -t tmpfs none /etc/chromium && mkdir -p /etc/chromium/policies/managed && cp "$0" /etc/chromium/policies/managed/person.json && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, policy]

    def _answers(self):
        try:
            return self._send("GET", "/status", None, 5)[0] == 200
        except OSError:
            return False

    def _send(self, method, path, body, timeout):
        with inside(self.ns):
            s = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.sock = s
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["value"]
        finally:
            connection.close()

    def ask(self, method, path, body=None, timeout=60):
        """`timeout` is for a quiet machine: a browser without a processor is slow, not broken."""
        status, value = self._send(method, "/session" + ("/" + self.session if self.session else "") + path, body, timeout * SLOWNESS)
        if status != 200:
            raise AssertionError("%s %s: %s" % (method, path, value.get("message", value)))
        return value

    def open(self, url):
        """Opens a page. When the browser gave up because an address or interface of its namespace
        had just come, opens it once more, as a person would."""
        for _ in range(3):
            self.ask("POST", "/url", {"url": url})
            if "ERR_NETWORK_CHANGED" not in self.run("return document.body.innerText"):
                return

    def run(self, script, *args):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, script, what, seconds=PATIENCE):
        """Waits until the script returns something true, and returns that. `seconds`: the limit of
        the page itself."""
        try:
            return wait_for(lambda: self.run(script), seconds, what)
        except TimeoutError as e:
            raise AssertionError("%s; the page says: %s" % (e, self.run("return document.body.innerText.slice(0, 1500)"))) from e

    def find(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def _do(self, css, what, body):
        """Does something to an element. When the page has replaced it meanwhile, looks for it
        again, as a person would."""
        for left in (2, 1, 0):
            try:
                self.ask("POST", "/element/%s/%s" % (self.find(css), what), body)
                return
            except AssertionError as e:
                if left == 0 or "stale element" not in str(e):
                    raise

    def click(self, css):
        self._do(css, "click", {})

    def click_text(self, text):
        """Presses the only button or link with these words."""
        self.run("""for (const e of document.querySelectorAll("[data-pressed]")) e.removeAttribute("data-pressed");
            [...document.querySelectorAll("a, button")].find(e => e.innerText.trim() === arguments[0])?.setAttribute("data-pressed", "")""", text)
        self.click("[data-pressed]")

    def type(self, css, text):
        self._do(css, "value", {"text": text})

    def fill(self, css, text):
        """Replaces the contents of a field, once the page has it."""
        self.wait("const f = document.querySelector(%s); if (f === null) return false; f.value = ''; return true" % json.dumps(css), "the field " + css)
        self.type(css, text)

    def keys(self, *keys):
        """Sends keys to the element with the focus."""
        actions = [a for k in keys for a in ({"type": "keyDown", "value": k}, {"type": "keyUp", "value": k})]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def security_key(self):
        """A security key of the browser's own, which accepts every request; until the browser is
        closed."""
        self.devtools("WebAuthn.enable", enableUI=False)
        return self.devtools("WebAuthn.addVirtualAuthenticator", options={"protocol": "ctap2", "transport": "usb", "hasResidentKey": True,
                             "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True})["authenticatorId"]

    def picture(self, path):
        """A picture of the whole page, also below the window's edge."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shot = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def said(self):
        """The console's messages since the last call."""
        return [e["message"] for e in self.ask("POST", "/se/log", {"type": "browser"})]

    def close(self):
        """Closes the browser in any state. Its processes end with the driver's process group. A
        browser that has left this group is ended by its own number."""
        with contextlib.suppress(OSError, AssertionError):
            if self.session:
                self.ask("DELETE", "", timeout=10)
        self.net.stop(self.driver)
        with contextlib.suppress(ProcessLookupError):
            if self.process:
                os.kill(self.process, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)
