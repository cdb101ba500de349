#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Puts a policy in force on a Sekisho box over its HTTPS API: draft, dry run, approval, trial,
confirmation. The box decides about each step and trusts nothing that this module says."""
DOCUMENTATION = r"""
module: sekisho_policy
short_description: Puts a policy in force on a Sekisho box, on trial, and confirms it
description:
  - Saves the policy as the box's draft, has the box make a dry run of it, asks for approval where a second person has to give it, applies the policy on
    trial, checks that the addresses in I(reach) can still be reached, and confirms the policy. If it is not confirmed, the box returns to the previous one.
  - Talks only to the HTTPS API of the box's management, from wherever the task runs (usually C(connection=local)).
  - If the same texts are in force already, nothing is changed.
options:
  host:
    description: Address of the box's management, or its name C(sekisho).
    type: str
    required: true
  port:
    description: TCP port of the management.
    type: int
    default: 443
  ca:
    description: File with the box's C(certificate.pem), the only certificate authority that the module trusts.
    type: path
    required: true
  name:
    description: Account on the box. It needs the roles C(ot_author) to save a draft and C(it_operator) to apply it.
    type: str
  password:
    description: Passphrase of that account.
    type: str
  client_cert:
    description: File with a TLS client certificate (PEM) that is registered for that account. It is the playbook's second factor.
    type: path
  client_key:
    description: File with the key of I(client_cert).
    type: path
  code:
    description: A code of the authenticator, or a recovery code, in the place of the certificate.
    type: str
  token:
    description: An API token in the place of an account. A token can compare policies, but cannot change anything, so it is for check mode only.
    type: str
  src:
    description: Files of the policy, the main one first. The name of a file on the box is its path below the folder of the main file.
    type: list
    elements: path
  texts:
    description: The policy as texts instead of files, each with C(name) and C(text), for playbooks that make it from templates.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the file on the box.
        type: str
        required: true
      text:
        description: Content of the file.
        type: str
        required: true
  state:
    description:
      - C(applied) puts the policy in force. C(confirmed) confirms what is on trial, C(rolled_back) goes back from it; with these two, no policy is given.
    type: str
    choices: [applied, confirmed, rolled_back]
    default: applied
  comment:
    description: What the draft is for; the box keeps it with the generation.
    type: str
    default: by Ansible
  trial:
    description: Seconds of the trial. When they are over, the box goes back if nobody has confirmed the policy.
    type: int
    default: 300
  confirm:
    description: Whether the module confirms the policy by itself. If not, it leaves the trial to a later task with C(state=confirmed).
    type: bool
    default: true
  reach:
    description:
      - Addresses that have to be reachable over TCP, from where the task runs, before the module confirms; each with C(host) and C(port). If one cannot be reached within
        I(reach_timeout), the module goes back at once.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Address or name.
        type: str
        required: true
      port:
        description: TCP port.
        type: int
        required: true
  reach_timeout:
    description: Seconds for all of I(reach) together; less than I(trial).
    type: int
    default: 60
  generation:
    description: With C(confirmed) and C(rolled_back), the generation that has to be on trial; if another one is on trial, the task fails.
    type: int
  take:
    description: Devices that the box may take out of the machine's first namespace although sessions with the machine use them.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds for one question to the box.
    type: int
    default: 90
author: Sekisho
"""

EXAMPLES = r"""
- name: The terminal's policy is in force
  sekisho_policy:
    host: 10.99.0.1
    ca: files/certificate.pem
    name: ansible
    password: "{{ sekisho_password }}"
    client_cert: files/ansible.pem
    client_key: files/ansible.key
    src: [policy/site.cfg, policy/box.cfg]
    comment: "ticket 4711"
    reach:
      - { host: 10.20.1.5, port: 443 }
  delegate_to: localhost
"""

RETURN = r"""
generation:
  description: The generation that is in force now, or on trial.
  returned: always
  type: int
on_trial:
  description: Whether this generation waits for a confirmation.
  returned: always
  type: bool
cut:
  description: Sessions that end by this policy.
  returned: after a dry run
  type: list
narrowed:
  description: Sessions that stay, but may no longer repeat some of the requests that they made so far.
  returned: after a dry run
  type: list
go_on:
  description: How many sessions lose nothing.
  returned: after a dry run
  type: int
diagnostics:
  description: What the box's compiler says of the policy, each with file, line and column.
  returned: when there are any
  type: list
draft:
  description: The draft as it stands on the box.
  returned: with an account
  type: dict
"""

import difflib  # noqa: E402
import http.client  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import socket  # noqa: E402
import ssl  # noqa: E402
import time  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

COOKIE = "__Host-sekisho"
TRIAL_LEAST = 30
SHOWN = 20  # sessions that a difference names; the result has them all


class Refused(Exception):
    """A sentence for whoever runs the playbook, and what else the result is to have."""

    def __init__(self, why, **more):
        super().__init__(why)
        self.more = more


def sentence(answer, otherwise):
    """The box's own sentence in English, because results of tasks are in English."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return error.get("en", otherwise) if isinstance(error, dict) else otherwise


class Box:
    """Asks the box. Each question has its own connection, so the module notices if a trial cuts the
    way to the box."""

    def __init__(self, p):
        self.p = p
        self.cookie = None
        try:
            self.context = ssl.create_default_context(cafile=p["ca"])
            self.context.minimum_version = ssl.TLSVersion.TLSv1_3
            if p["client_cert"]:
                self.context.load_cert_chain(p["client_cert"], p["client_key"])
        except (OSError, ssl.SSLError) as e:
            raise Refused("ca, client_cert or client_key cannot be used: %s" % e) from None

    def ask(self, method, path, body=None, wanted=(200,), timeout=None):
        """Returns status, headers and the answer. Raises Refused for a status that is not
        wanted."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.cookie is not None:
            headers["Cookie"] = "%s=%s" % (COOKIE, self.cookie)
        elif self.p["token"]:
            headers["Authorization"] = "Bearer " + self.p["token"].strip()
        c = http.client.HTTPSConnection(self.p["host"], self.p["port"], context=self.context, timeout=timeout or self.p["timeout"])
        try:
            c.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
            r = c.getresponse()
            said = r.read()
        except (OSError, http.client.HTTPException) as e:
            raise Refused("the box at %s does not answer: %s" % (self.p["host"], e), unreached=True) from None
        finally:
            c.close()
        try:
            answer = json.loads(said)
        except ValueError:
            answer = {}
        if r.status not in wanted:
            raise Refused(self.why(r.status, answer), status=r.status)
        return r.status, r.headers, answer

    def why(self, status, answer):
        who = "the token" if self.p["token"] else "the account %s" % self.p["name"]
        if status == 401 and self.p["token"]:
            return "the token is unknown, has expired, or belongs to a client certificate that was not shown"
        if status == 403:
            return "%s may not do this: %s" % (who, sentence(answer, "its roles do not allow it"))
        return sentence(answer, "the box answers %d" % status)

    def log_in(self):
        p = self.p
        proof = {"code": p["code"]} if p["code"] else {"certificate": True}
        _, headers, _ = self.ask("POST", "/api/v1/login", dict(name=p["name"], password=p["password"], **proof))
        self.cookie = headers.get("Set-Cookie", "").split(";", 1)[0].partition("=")[2]

    def log_out(self):
        if self.cookie is None:
            return
        try:
            self.ask("POST", "/api/v1/logout", {}, (200, 401))
        except Refused:
            pass  # the session ends by itself
        self.cookie = None

    def order(self, word, **more):
        """Status and answer: 200 done, 409 not done, 422 the text has mistakes."""
        status, _, answer = self.ask("POST", "/api/v1/change", dict(more, order=word), (200, 409, 422))
        return status, answer

    def done(self, word, **more):
        status, answer = self.order(word, **more)
        if status != 200 or not answer.get("done"):
            raise Refused(told(answer) or sentence(answer, "the box did not carry out \"%s\"" % word), diagnostics=answer.get("diagnostics") or [])
        return answer

    def draft(self):
        _, _, answer = self.ask("GET", "/api/v1/draft")
        return answer["draft"], answer.get("sources") or []

    def in_force(self):
        """Number and texts of the policy in force; 0 and no texts before the first policy."""
        try:
            _, _, answer = self.ask("GET", "/api/v1/policy")
        except Refused as e:
            if e.more.get("status") in (400, 404):
                return 0, []
            raise
        return answer["generation"]["number"], answer["sources"]


# ---- words ---------------------------------------------------------------------------------------

def told(answer):
    """The compiler's diagnostics with the lines that they are about."""
    lines = []
    for d in answer.get("diagnostics") or []:
        lines.append("%s:%s:%s: %s: %s" % (d["file"], d["line"], d["column"], d["severity"], d["message"]) + (" (%s)" % d["hint"] if d.get("hint") else ""))
    return "\n".join(lines)


def with_lines(answer, texts):
    """The diagnostics, each with the policy's line below it and a mark at the place."""
    of = {t["name"]: t["text"].split("\n") for t in texts}
    out = []
    for d, head in zip(answer.get("diagnostics") or [], told(answer).split("\n")):
        out.append(head)
        lines = of.get(d["file"], [])
        if 0 < d["line"] <= len(lines):
            line = lines[d["line"] - 1].replace("\t", " ")
            out += ["    " + line, "    " + " " * (d["column"] - 1) + "^" * max(1, d.get("width") or 1)]
    return "\n".join(out)


def session_line(s):
    return "%s -> %s (%s)" % (s.get("client_label") or s.get("client"), s.get("server_label") or s.get("server"), s.get("conduit") or "-")


def live(answer):
    """The effect on present sessions."""
    lines = ["sessions that end: %d" % (len(answer.get("cut") or []) + (answer.get("cut_more") or 0))]
    lines += ["  " + session_line(s) + (": " + s["reason"] if s.get("reason") else "") for s in (answer.get("cut") or [])[:SHOWN]]
    lines.append("sessions that lose requests: %d" % len(answer.get("narrowed") or []))
    lines += ["  " + session_line(s) for s in (answer.get("narrowed") or [])[:SHOWN]]
    lines.append("sessions that go on: %s" % answer.get("go_on", 0))
    return "\n".join(lines) + "\n"


def difference(before, after, dry):
    """For --diff: the texts line by line, then what the box says of live sessions."""
    old, new = ({t["name"]: t["text"] for t in texts} for texts in (before, after))
    parts = []
    for name in sorted(set(old) | set(new)):
        parts += difflib.unified_diff(old.get(name, "").splitlines(), new.get(name, "").splitlines(), "in force: " + name, "wanted: " + name, lineterm="")
    return {"prepared": "\n".join(parts) + "\n" + (live(dry) if dry is not None else "")}


def wanted_texts(p):
    if p["texts"]:
        return [{"name": t["name"], "text": t["text"]} for t in p["texts"]]
    root = os.path.dirname(os.path.abspath(p["src"][0]))
    out = []
    for path in p["src"]:
        name = os.path.relpath(os.path.abspath(path), root)
        if name.startswith(".."):
            raise Refused("%s lies outside of the folder of the main file" % path)
        try:
            with open(path, encoding="utf-8", newline="") as f:
                out.append({"name": name, "text": f.read()})
        except (OSError, ValueError) as e:
            raise Refused("%s cannot be read: %s" % (path, e)) from None
    return out


def same(a, b):
    return {t["name"]: t["text"] for t in a} == {t["name"]: t["text"] for t in b} and (a[:1] == b[:1] or not a)


# ---- the way -------------------------------------------------------------------------------------

class Task:
    def __init__(self, module):
        self.m, self.p = module, module.params
        self.box = Box(self.p)
        self.result = {"changed": False}

    def stand(self, draft, generation):
        self.result.update(draft=draft, generation=generation, on_trial=bool(draft["on_trial"]))

    def dry_run(self, answer, texts):
        if not answer.get("done"):
            raise Refused("the policy has mistakes, and nothing was changed:\n%s" % with_lines(answer, texts) if answer.get("diagnostics")
                          else sentence(answer, "the box refuses this policy"), diagnostics=answer.get("diagnostics") or [])
        self.result.update(cut=answer.get("cut") or [], narrowed=answer.get("narrowed") or [], go_on=answer.get("go_on", 0), diagnostics=answer.get("diagnostics") or [])

    def compared(self):
        """With a token: only compares the policy with the one in force."""
        texts = wanted_texts(self.p)
        number, before = self.box.in_force()
        self.result.update(changed=not same(before, texts), generation=number, on_trial=False)
        if self.result["changed"]:
            self.result["diff"] = difference(before, texts, None)
        if self.result["changed"] and not self.m.check_mode:
            raise Refused("a token changes nothing, because a person answers for a policy: give name, password and a second factor")

    def save(self, draft, texts, number):
        """Saves this policy as the draft, unless it is already. Replaces a draft only if this
        account alone wrote it."""
        _, sources = self.box.draft()
        if draft["state"] in ("draft", "asked", "approved"):
            if same(sources, texts) and draft["base"] == number:
                return draft
            if set(draft["authors"]) - {self.p["name"]}:
                raise Refused("%s saved another draft (revision %d, %s): it has to be applied or discarded first, by people" %
                              (draft["by"], draft["revision"], draft["saved"]), draft=draft)
        self.result["changed"] = True
        return self.box.done("save", revision=draft["revision"], base=number, texts=texts, comment=self.p["comment"])["draft"]

    def approve(self, draft, texts):
        """Makes the dry run, and asks for approval if a second person has to give it."""
        tried = draft.get("tried") or {}
        if not (tried.get("good") and tried.get("current")):
            _, answer = self.box.order("try", revision=draft["revision"])
            self.dry_run(answer, texts)
            draft = answer["draft"]
        else:
            self.dry_run(dict(tried["answer"], done=True), texts)
        _, _, me = self.box.ask("GET", "/api/v1/me")
        if not me["two_persons"] or draft["state"] == "approved":
            return draft
        if draft["state"] != "asked":
            draft = self.box.done("ask", revision=draft["revision"])["draft"]
            self.result["changed"] = True
        raise Refused("the draft (revision %d) waits for approval: a person with the role approver who wrote none of it (it is by %s) has to approve it; "
                      "then run this again" % (draft["revision"], ", ".join(draft["authors"])), draft=draft, waits_for_approval=True)

    def reached(self):
        """The first place in `reach` that does not answer within the time for all of them, or
        None."""
        end = time.monotonic() + self.p["reach_timeout"]
        for at in self.p["reach"]:
            while True:
                left = end - time.monotonic()
                try:
                    socket.create_connection((at["host"], at["port"]), max(0.1, min(left, 3))).close()
                    break
                except OSError as e:
                    if left <= 1:
                        return "%s port %d (%s)" % (at["host"], at["port"], e)
                    time.sleep(min(0.5, left))
        return None

    def judge(self, number):
        """Generation `number` is on trial. Confirms it if everything in `reach` answers. That the
        box takes the order shows that its management can be reached."""
        if not self.p["confirm"]:
            return
        lost = self.reached()
        if lost is None:
            try:
                self.box.done("confirm", to=number)
            except Refused as e:
                raise Refused("generation %d was not confirmed, and the box goes back by itself when the trial of %d s is over: %s" % (number, self.p["trial"], e)) from None
            self.result["on_trial"] = False
            return
        try:
            back = self.box.done("rollback", base=number)
            now = "the box went back to generation %d" % back["generation"]["number"]
        except Refused as e:
            now = "going back failed (%s), and the box goes back by itself when the trial of %d s is over" % (e, self.p["trial"])
        raise Refused("%s cannot be reached under generation %d, which was not confirmed: %s" % (lost, number, now), changed=False, rolled_back=True)

    def applied(self):
        texts = wanted_texts(self.p)
        draft, _ = self.box.draft()
        number, before = self.box.in_force()
        self.stand(draft, number)
        if same(before, texts):
            if draft["on_trial"] and not self.m.check_mode:
                self.result["changed"] = bool(self.p["confirm"])
                self.judge(draft["on_trial"])
            return
        if draft["on_trial"]:
            raise Refused("generation %d is on trial: it has to be confirmed or taken back first" % draft["on_trial"], draft=draft)
        if self.m.check_mode:
            status, answer = self.box.order("check", revision=draft["revision"], base=number, texts=texts)
            self.dry_run(answer, texts)
            self.result.update(changed=True, diff=difference(before, texts, answer))
            return
        draft = self.approve(self.save(draft, texts, number), texts)
        self.result["changed"] = True
        if self.m._diff:
            self.result["diff"] = difference(before, texts, self.result)
        answer = self.box.done("apply", revision=draft["revision"], confirm_s=self.p["trial"], take=self.p["take"])
        self.stand(answer["draft"], answer["generation"]["number"])
        self.judge(answer["generation"]["number"])

    def ended(self):
        """Confirms the generation that is on trial, or takes it back."""
        draft, _ = self.box.draft()
        number, _ = self.box.in_force()
        self.stand(draft, number)
        on = draft["on_trial"]
        if not on and self.p["state"] == "confirmed" and self.p["generation"] in (None, number):
            return
        if not on:
            raise Refused("nothing is on trial, generation %d is in force%s" %
                          (number, " and not %d" % self.p["generation"] if self.p["generation"] else ""))
        if self.p["generation"] not in (None, on):
            raise Refused("generation %d is on trial, and not %d" % (on, self.p["generation"]))
        self.result["changed"] = True
        if self.m.check_mode:
            return
        if self.p["state"] == "confirmed":
            lost = self.reached()
            if lost is not None:
                raise Refused("%s cannot be reached: generation %d was not confirmed, and the box goes back by itself" % (lost, on))
            self.box.done("confirm", to=on)
        else:
            self.result["generation"] = self.box.done("rollback", base=on)["generation"]["number"]
        self.result["on_trial"] = False

    def run(self):
        p = self.p
        if p["token"]:
            if p["state"] != "applied":
                raise Refused("a token changes nothing: give name, password and a second factor")
            self.compared()
            return
        self.box.log_in()
        try:
            if p["state"] == "applied":
                self.applied()
            else:
                self.ended()
        finally:
            self.box.log_out()


def main():
    of_dict = lambda **keys: {"type": "list", "elements": "dict", "options": keys}  # noqa: E731
    text = lambda **more: dict({"type": "str"}, **more)  # noqa: E731
    m = AnsibleModule(
        supports_check_mode=True,
        argument_spec=dict(
            host=text(required=True), port=dict(type="int", default=443), ca=dict(type="path", required=True), name=text(), password=text(no_log=True),
            client_cert=dict(type="path"), client_key=dict(type="path", no_log=False), code=text(no_log=True), token=text(no_log=True),
            src=dict(type="list", elements="path"), texts=of_dict(name=text(required=True), text=text(required=True)),
            state=text(choices=["applied", "confirmed", "rolled_back"], default="applied"), comment=text(default="by Ansible"), trial=dict(type="int", default=300),
            confirm=dict(type="bool", default=True), reach=dict(of_dict(host=text(required=True), port=dict(type="int", required=True)), default=[]),
            reach_timeout=dict(type="int", default=60), generation=dict(type="int"), take=dict(type="list", elements="str", default=[]), timeout=dict(type="int", default=90)),
        required_one_of=[("name", "token")], mutually_exclusive=[("name", "token"), ("src", "texts"), ("code", "token")],
        required_together=[("name", "password"), ("client_cert", "client_key")],
        required_if=[("state", "applied", ("src", "texts"), True)])
    if m.params["name"] and not m.params["code"] and not m.params["client_cert"]:
        m.fail_json(msg="an account needs a second factor: client_cert and client_key, or code")
    if m.params["trial"] < TRIAL_LEAST or (m.params["reach"] and m.params["reach_timeout"] >= m.params["trial"]):
        m.fail_json(msg="trial is %d seconds or more, and longer than reach_timeout where something has to be reached" % TRIAL_LEAST)
    task = None
    try:
        task = Task(m)
        task.run()
    except Refused as e:
        m.fail_json(msg=str(e), **dict(task.result if task else {}, **e.more))
    m.exit_json(**task.result)


if __name__ == "__main__":
    main()
