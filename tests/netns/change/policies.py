# SPDX-License-Identifier: Apache-2.0
"""The policies of the change matrix as values: one conduit for each kind of flow; the change of an
event is one argument. What a policy allows for a state is written here again, independently of the
compiler."""
import time

from box import conduit

# The port of each lane; datagrams have their own.
PORTS = {"naming": 4433, "let_go": 4433, "commands": 502, "hold": 1502, "open": 2502, "observe": 3502, "shadow": 4502, "pick_up": 5502, "fast": 9001}
PLC_PORTS = {"s7comm": 102, "enip": 44818, "slmp": 5007, "fins": 9600, "memobus": 9999, "iec104": 2404, "dnp3": 20000, "opcua": 4840, "bacnet": 47808}
WRITTEN, REGISTER = 7, 1  # the value that every write of the matrix writes, and its register

WATCH, WIDE = (["%s_%s" % (how, what) for what in ("s7", "cip", "mc", "fins", "mp", "104", "dnp3", "ua", "bac")] for how in ("watch", "wide"))
READ_ROW = '{ commands = ["read"]; units = [1]; holding = ["0-99"]; }'


def service(name, port, rows):
    return '%s = { protocol = "modbus"; ports = ["tcp/%d"]; allow = ( %s ); };\n' % (name, port, rows)


def plc_services(holding):
    """Services of other protocols: `watch_*` are always the same; `wide_*` allow more, at addresses
    that `holding` gives."""
    connected = [100 + int(n) for n in holding.split("-")]
    return '''
      watch_s7 = { protocol = "s7comm"; ports = ["tcp/102"]; allow = ( { commands = ["read"]; slots = [2]; db = ["20.0-99"]; } ); };
      wide_s7 = { protocol = "s7comm"; ports = ["tcp/102"]; allow = ( { commands = ["read"]; slots = [2]; db = ["10.%s"]; } ); };
      watch_cip = { protocol = "enip"; ports = ["tcp/44818", "udp/2222"];
                    allow = ( { commands = ["read"]; routes = ["0"]; tags = ["Speed"]; },
                              { functions = ["open_input_connection"]; objects = ["4.100-160"]; } ); };
      wide_cip = { protocol = "enip"; ports = ["tcp/44818", "udp/2222"];
                   allow = ( { commands = ["read"]; routes = ["1.%s"]; tags = ["Speed"]; },
                             { functions = ["open_output_connection"]; objects = ["4.%d-%d"]; } ); };
      watch_mc = { protocol = "slmp"; ports = ["tcp/5007", "udp/5008"]; allow = ( { commands = ["read"]; stations = [255]; d = ["100-199"]; } ); };
      wide_mc = { protocol = "slmp"; ports = ["tcp/5007", "udp/5008"]; allow = ( { commands = ["read"]; stations = [255]; d = ["%s"]; } ); };
      watch_fins = { protocol = "fins"; ports = ["tcp/9600", "udp/9600"]; allow = ( { commands = ["read"]; nodes = [10]; d = ["100-199"]; } ); };
      wide_fins = { protocol = "fins"; ports = ["tcp/9600", "udp/9600"]; allow = ( { commands = ["read"]; nodes = [10]; d = ["%s"]; } ); };
''' % (holding, holding, *connected, holding, holding) + "".join('''
      %s_mp = { protocol = "memobus"; ports = ["tcp/9999", "udp/9999"]; allow = ( { commands = ["read"]; holding = ["%s"]; } ); };
      %s_104 = { protocol = "iec104"; ports = ["tcp/2404"]; allow = ( { commands = ["read"]; ioa = ["%s"]; } ); };
      %s_dnp3 = { protocol = "dnp3"; ports = ["tcp/20000", "udp/20000"]; allow = ( { commands = ["read"]; binary_inputs = ["%s"]; } ); };
      %s_ua = { protocol = "opcua"; ports = ["tcp/4840"]; allow = ( { commands = ["read"]; security_policies = [1]; node_ids = ["2.%s"]; } ); };
      %s_bac = { protocol = "bacnet"; ports = ["udp/47808-47810"]; allow = ( { commands = ["read"]; objects = ["analog-output:%s"]; } ); };
''' % ((how, places) * 5) for how, places in (("watch", "100-199"), ("wide", holding)))


def write_row(values="0-65535", holding="0-99"):
    return '{ commands = ["write"]; units = [1]; holding = ["%s"]; values = ["%s"]; }' % (holding, values)


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def holds(ranges, value):
    low, _, high = ranges.partition("-")
    return int(low) <= value <= int(high or low)


class Policy:
    def __init__(self, **change):
        self.change = change

    def but(self, **change):
        return Policy(**{**self.change, **change})

    def allows(self, state):
        """Whether the session of a state may send its next packet. The end of a permission in time
        is checked by the event that waits for this end."""
        c = self.change
        if state.lane != "commands":
            return True
        if c.get("elsewhere"):
            return False
        if state.wide:
            return c.get("writes", True) and holds(c.get("holding", "0-99"), REGISTER)
        if not state.writes:
            return True
        return c.get("writes", True) and holds(c.get("values", "0-65535"), WRITTEN) and holds(c.get("holding", "0-99"), REGISTER)

    def services(self):
        c = self.change
        out = service("pw", 502, write_row(c.get("values", "0-65535"), c.get("holding", "0-99")))
        out += plc_services(c.get("holding", "0-99"))
        both = READ_ROW + ", " + write_row()
        for name, port in PORTS.items():
            if name not in ("commands", "fast", "naming", "let_go"):
                out += service("p_" + name, port, READ_ROW if name == "observe" else both)
        out += 'tell_bac = { protocol = "bacnet"; ports = ["udp/47808-47810"]; allow = ( { functions = ["I-Am"]; } ); };\n'
        out += 'secret = { protocol = "tls"; ports = ["tcp/4433"]; };\n'
        return out + service("pr", 502, READ_ROW) + service("pmore", 502, READ_ROW.replace("0-99", "0-199") + ", " + write_row())

    def prepared(self):
        """The prepared conduits and isolations: what a person can open, and what cuts only the lane
        of commands."""
        kept = ["held", "opened", "watched", "under", "over", "picked", "plain", "names", "web"]
        return ('doors = { gate = { at_most = "1 h"; opened_by = ["supervisor"]; }; };\n' if "door" in self.change.get("keys", {}) else "") + (
            'isolations = { commands = { cut = ["zones ops ot"]; keep = [%s]; }; };\n' % ", ".join('"%s"' % k for k in kept))

    def conduits(self):
        c = self.change
        keys = dict({"criticality": "cargo"}, **c.get("keys", {}))
        where = {"sources": ["10.72.0.9", "2001:db8:72::9"]} if c.get("elsewhere") else {}
        out = [conduit(c.get("name", "reads"), "ops", "ot", ["pr"], **keys, **where)]
        if c.get("writes", True):
            out.append(conduit("writes", "ops", "ot", ["pw"], **keys, **where))
        out.append(conduit(c.get("name", "reads") + "-plc", "ops", "ot", WATCH, **keys, **where))
        if c.get("writes", True):
            out.append(conduit("writes-plc", "ops", "ot", WIDE, **keys, **where))
        if c.get("successor"):
            for name, services in (("reads-next", ["pr"]), ("writes-next", ["pw"]), ("reads-next-plc", WATCH), ("writes-next-plc", WIDE)):
                out.append(conduit(name, "ops", "ot", services, **dict(keys, until=c["successor"])))
        if c.get("pair"):
            out.append(conduit("pair", "ops", "ot", ["pmore"], sources=["10.72.0.3", "2001:db8:72::3"], criticality="cargo"))
        if c.get("others"):
            out.append(conduit("others", "ops", "ot", ["pr"], sources=["10.72.0.77"], criticality="cargo"))
        out += [conduit("held", "ops", "ot", ["p_hold"], when_down="hold", when_overloaded="hold", when_midstream="pick_up"),
                conduit("opened", "ops", "ot", ["p_open"], when_down="open", when_overloaded="open", when_midstream="pick_up"),
                conduit("watched", "ops", "ot", ["p_observe"], mode="observe", when_midstream="pick_up"),
                conduit("under", "ops", "ot", ["p_shadow"], when_midstream="pick_up"),
                conduit("over", "ops", "ot", ["p_shadow"], mode="observe", shadow=True, when_midstream="pick_up"),
                conduit("picked", "ops", "ot", ["p_pick_up"], when_midstream="pick_up"),
                conduit("plain", "ops", "ot", ["plain", "plain_tcp", "ping"]),
                conduit("names", "ops", "ot", ["names", "secret"]),
                conduit("tells", "ot", "ops", ["tell_bac"], criticality="cargo"),
                conduit("web", "it", "ops", ["web"])]
        return out
