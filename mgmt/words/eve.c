/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/words/eve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/event_words.h"
#include "appliance/wire/reason.h"
#include "mgmt/state/read.h"
#include "mgmt/words/event.h"

#define END_TEXT 64
#define TEXT 300

/* "2026-11-20T08:10:11.123Z" -> "2026-11-20T08:10:11.123000+0000"; other text stays as it is. */
static json_t *timestamp(const char *time)
{
	size_t n = strlen(time);
	char out[TEXT];

	if (n == 0 || n >= 40 || time[n - 1] != 'Z')
		return json_text(time);
	snprintf(out, sizeof(out), "%.*s%s+0000", (int)(n - 1), time, strchr(time, '.') != NULL ? "000" : ".000000");
	return json_text(out);
}

/* FNV-1a: the same number for the same text on every box and in every release. */
static uint64_t number_of(uint64_t so_far, const char *text)
{
	for (; *text != '\0'; text++)
		so_far = (so_far ^ (uint8_t)*text) * 1099511628211u;
	return so_far;
}

#define NUMBER_BEGIN 14695981039346656037u

/* Splits "10.0.0.1:502", "[2001:db8::1]:502" or an address alone. */
static void put_end(json_t *out, const char *end, const char *ip, const char *port)
{
	const char *colon = strrchr(end, ':'), *bracket = strrchr(end, ']');
	bool has_port = bracket != NULL ? colon > bracket : colon != NULL && strchr(end, ':') == colon;
	size_t n = has_port ? (size_t)(colon - end) : strlen(end);
	char address[END_TEXT];

	if (*end == '[') {
		end++;
		n -= n > 1 ? 2 : 0;
	}
	if (n == 0 || n >= sizeof(address))
		return;
	memcpy(address, end, n);
	address[n] = '\0';
	json_object_set_new(out, ip, json_text(address));
	if (has_port)
		json_object_set_new(out, port, json_integer(strtol(colon + 1, NULL, 10)));
}

static void put_proto(json_t *out, const char *transport)
{
	static const char *const names[][2] = {
		{ "tcp", "TCP" }, { "udp", "UDP" }, { "icmp", "ICMP" }, { "icmpv6", "IPv6-ICMP" }
	};
	char text[8];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(transport, names[i][0]) == 0) {
			json_object_set_new(out, "proto", json_string(names[i][1]));
			return;
		}
	if (*transport == '\0')
		return;
	snprintf(text, sizeof(text), "%03u", (unsigned)strtoul(transport, NULL, 10));
	json_object_set_new(out, "proto", json_string(text));
}

static const char *app_proto(const char *protocol)
{
	return strcmp(protocol, "postgresql") == 0 ? "pgsql" : strcmp(protocol, "kerberos") == 0 ? "krb5" : protocol;
}

/* As in EVE the sender is the source; a session has the same number in both directions. */
static void put_ends(json_t *out, const json_t *e)
{
	const char *client = js(e, "client"), *server = js(e, "server");
	bool back = js_is(e, "direction", "s2c"), icmp = json_object_get(e, "icmp_type") != NULL;
	uint64_t flow;

	put_end(out, back ? server : client, "src_ip", "src_port");
	put_end(out, back ? client : server, "dest_ip", "dest_port");
	put_proto(out, js(e, "transport"));
	if (icmp) {
		json_object_set_new(out, "icmp_type", json_integer((json_int_t)ju(e, "icmp_type")));
		json_object_set_new(out, "icmp_code", json_integer((json_int_t)ju(e, "icmp_code")));
	}
	if (*js(e, "protocol") != '\0')
		json_object_set_new(out, "app_proto", json_text(app_proto(js(e, "protocol"))));
	if (*js(e, "interface") != '\0')
		json_object_set_new(out, "in_iface", json_text(js(e, "interface")));
	if (*client == '\0' || *server == '\0')
		return;
	flow = number_of(number_of(number_of(NUMBER_BEGIN, client), server), js(e, "transport"));
	/* Not every JSON reader keeps more than 53 bits. */
	json_object_set_new(out, "flow_id", json_integer((json_int_t)(flow >> 11)));
	if (js_is(e, "direction", "c2s") || back)
		json_object_set_new(out, "direction", json_string(back ? "to_client" : "to_server"));
}

static bool is_traffic(const json_t *e)
{
	return js_is(e, "kind", "drop") || js_is(e, "kind", "pdu") || js_is(e, "kind", "flow") ||
	       js_is(e, "kind", "counts") || js_is(e, "kind", "passed") || js_is(e, "kind", "weak") ||
	       js_is(e, "kind", "undeclared");
}

static enum event_severity severity(const json_t *e)
{
	return event_severity_by_word(js(e, "severity"));
}

static enum reason_kind why(const json_t *e)
{
	enum reason r = reason_by_word(js(e, "reason"));

	return r < REASON_COUNT ? reason_kind(r) : REASON_PASS;
}

static const char *type_of(const json_t *e)
{
	if (!is_traffic(e))
		return severity(e) > EVENT_NOTICE ? "alert" : "engine";
	if (js_is(e, "code", "missed") || js_is(e, "kind", "weak") || js_is(e, "kind", "undeclared"))
		return "alert";
	if (js_is(e, "kind", "counts") || js_is(e, "verdict", "allow"))
		return "flow";
	if (why(e) == REASON_BAD)
		return "anomaly";
	return js_is(e, "kind", "drop") && js_is(e, "verdict", "deny") ? "drop" : "alert";
}

static const char *category(const json_t *e)
{
	static const char *const of[] = { [REASON_PASS] = "Allowed by the policy",
					  [REASON_DENY] = "Refused by the policy",
					  [REASON_BAD] = "Malformed or evasive traffic",
					  [REASON_FAIL] = "Failure decision" };

	return is_traffic(e) ? of[why(e)] : "State of the box";
}

/* Numbered by its meaning, not by its index: numbers stay the same when rules are added. */
static json_t *alert(const json_t *e)
{
	enum reason r = reason_by_word(js(e, "reason"));
	const char *word = is_traffic(e) ? js(e, "reason") : js(e, "code"), *kind = js(e, "kind"), *said;
	char text[TEXT];

	said = is_traffic(e) && r < REASON_COUNT ? reason_text(r, "en")
	       : *word != '\0'			 ? event_code_text(kind, word, "en")
						 : event_kind_text(kind, "en");
	snprintf(text, sizeof(text), "Sekisho %s %s: %s", kind, *word != '\0' ? word : "-", said);
	return json_pack("{s:s, s:i, s:I, s:i, s:o, s:s, s:i}", "action",
			 js_is(e, "verdict", "deny") ? "blocked" : "allowed", "gid", 1, "signature_id",
			 (json_int_t)(number_of(number_of(NUMBER_BEGIN, kind), word) & 0x7fffffff), "rev", 1,
			 "signature", json_text(text), "category", category(e), "severity",
			 1 + (int)EVENT_SERIOUS - (int)severity(e));
}

static json_t *engine(const json_t *e)
{
	char *text = event_sentence(e, LANG_EN);
	json_t *j = json_pack("{s:o}", "message", json_text(text != NULL ? text : ""));

	free(text);
	return j;
}

/* Like an EVE flow record: bytes of packets, and the duration. */
static json_t *flow(const json_t *e)
{
	json_t *j = json_pack("{s:s, s:b}", "action", js_is(e, "verdict", "deny") ? "drop" : "pass", "alerted", 0);

	if (js_is(e, "kind", "passed") && *js(e, "code") != '\0')
		json_object_set_new(j, "state", json_string(js_is(e, "code", "began") ? "new" : "closed"));
	if (json_object_get(e, "bytes_c2s") == NULL)
		return j;
	json_object_set_new(j, "bytes_toserver", json_integer((json_int_t)ju(e, "bytes_c2s")));
	json_object_set_new(j, "bytes_toclient", json_integer((json_int_t)ju(e, "bytes_s2c")));
	json_object_set_new(j, "age", json_integer((json_int_t)ju(e, "seconds")));
	return j;
}

static json_t *of_the_type(const json_t *e, const char *type)
{
	const char *reason = *js(e, "reason") != '\0' ? js(e, "reason") : "none";

	if (strcmp(type, "drop") == 0)
		return json_pack("{s:o}", "reason", json_text(reason));
	if (strcmp(type, "anomaly") == 0)
		return json_pack("{s:s, s:o}", "type",
				 js_is(e, "kind", "pdu")    ? "applayer"
				 : js_is(e, "kind", "flow") ? "stream"
							    : "decode",
				 "event", json_text(reason));
	if (strcmp(type, "flow") == 0)
		return flow(e);
	return strcmp(type, "engine") == 0 ? engine(e) : NULL;
}

/* The TLS member as EVE has it: the version in EVE's spelling, and no field for the suite. */
static json_t *tls(const json_t *e)
{
	static const char *const spelt[][2] = { { "SSL 3.0", "SSLv3" }, { "TLS 1.0", "TLSv1" } };
	const json_t *seen = json_object_get(e, "tls");
	const char *version = js(seen, "version");
	json_t *j = json_object();

	for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++)
		if (strcmp(version, spelt[i][0]) == 0)
			version = spelt[i][1];
	json_object_set_new(j, "version", json_text(version));
	if (*js(seen, "sni") != '\0')
		json_object_set_new(j, "sni", json_text(js(seen, "sni")));
	return j;
}

json_t *event_eve(const json_t *e)
{
	const char *type = type_of(e);
	json_t *out = json_object(), *own = json_deep_copy(e), *part = of_the_type(e, type);

	json_object_set_new(out, "timestamp", timestamp(js(e, "time")));
	json_object_set_new(out, "event_type", json_string(type));
	put_ends(out, e);
	if (part != NULL)
		json_object_set_new(out, type, part);
	if (json_object_get(e, "tls") != NULL)
		json_object_set_new(out, "tls", tls(e));
	else if (*js(e, "server_name") != '\0')
		json_object_set_new(out, "tls", json_pack("{s:o}", "sni", json_text(js(e, "server_name"))));
	if (strcmp(type, "flow") != 0 && strcmp(type, "engine") != 0)
		json_object_set_new(out, "alert", alert(e));
	/* the hash chain covers the box's own lines; this line is another one */
	(void)json_object_del(own, "prev");
	(void)json_object_del(own, "hash");
	json_object_set_new(out, "sekisho", own);
	return out;
}

/* The record in EVE's form, owned by the caller; NULL: the line is no record, or there is no
 * memory. */
static char *as_eve(const char *line, size_t n)
{
	json_t *record = json_loadb(line, n, 0, NULL), *eve = NULL;
	char *text = NULL;

	if (json_is_integer(json_object_get(record, "seq")))
		eve = event_eve(record);
	if (eve != NULL)
		text = json_dumps(eve, JSON_COMPACT);
	json_decref(eve);
	json_decref(record);
	return text;
}

void eve_answer(const char *line, size_t n, FILE *to)
{
	char *text = as_eve(line, n);
	json_t *reply = text != NULL ? json_pack("{s:s}", "msg", text) : NULL;

	if (reply != NULL)
		json_line(to, reply);
	else
		fputs("{}\n", to);
	free(text);
}
