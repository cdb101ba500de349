/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/settings.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

const char *const mode_words[] = { "enforce", "observe", NULL };
const char *const tighten_words[] = { "all", "new_flows", NULL };
const char *const criticality_words[] = { "safety", "cargo", "support", NULL };
const char *const door_need_words[] = { "name", "ticket", "reason", NULL };
const char *const failure_words[] = { "closed", "hold", "open", NULL };
const char *const midstream_words[] = { "drop", "reset", "pick_up", NULL };
const char *const ledger_words[] = { "free", "strict", NULL };
const char *const weak_tls_words[] = { "report", "deny", NULL };
const char *const lane_kind_words[] = { "naming", "commands", NULL };
const char *const zone_class_words[] = { "it", "operations", "ot", "external", "test", "management", NULL };
const char *const peer_words[] = { "time", "log", "terminal", "update", "ups", "mail", "snmp", "backup", NULL };
const char *const log_transport_words[] = { "syslog", "relp", NULL };
const char *const log_format_words[] = { "sekisho", "eve", NULL };
const char *const on_low_words[] = { "record", "power_off", NULL };
const char *const command_class_words[] = { "read", "write", "control", "program", "diagnose", NULL };

const char *lane_text(uint32_t number, char out[WORD_TEXT])
{
	struct lane l;

	if (lane_of(number, &l))
		snprintf(out, WORD_TEXT, "%s/%s/%s/%s", lane_kind_words[l.kind], criticality_words[l.criticality],
			 failure_words[l.when_down], failure_words[l.when_overloaded]);
	else
		snprintf(out, WORD_TEXT, "%s", number == LANE_NONE ? "none" : number == LANE_CUT ? "cut" : "unknown");
	return out;
}

const char *transport_text(uint8_t l4proto, char out[WORD_TEXT])
{
	switch (l4proto) {
	case IPPROTO_TCP:
		snprintf(out, WORD_TEXT, "tcp");
		break;
	case IPPROTO_UDP:
		snprintf(out, WORD_TEXT, "udp");
		break;
	case IPPROTO_ICMP:
		snprintf(out, WORD_TEXT, "icmp");
		break;
	case IPPROTO_ICMPV6:
		snprintf(out, WORD_TEXT, "icmpv6");
		break;
	default:
		snprintf(out, WORD_TEXT, "%u", l4proto);
	}
	return out;
}

const char *duration_text(uint64_t seconds, char out[DURATION_TEXT])
{
	bool minutes = seconds % 60 == 0, hours = seconds % 3600 == 0, days = seconds % 86400 == 0;

	snprintf(out, DURATION_TEXT, seconds != 0 ? "%" PRIu64 " %s" : "-",
		 seconds / (days      ? 86400
			    : hours   ? 3600
			    : minutes ? 60
				      : 1),
		 days	   ? "d"
		 : hours   ? "h"
		 : minutes ? "min"
			   : "s");
	return out;
}
