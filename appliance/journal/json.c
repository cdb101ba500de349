/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/names.h"

#include <netinet/in.h>
#include <stdio.h>

#include "appliance/wire/attack.h"
#include "appliance/wire/commands_json.h"
#include "appliance/wire/event_words.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/role.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/tls.h"
#include "appliance/wire/vocabulary.h"

static void set_text(json_t *j, const char *key, const char *text)
{
	json_object_set_new(j, key, json_text(text));
}

static void set_number(json_t *j, const char *key, uint64_t n)
{
	json_object_set_new(j, key, json_integer((json_int_t)n));
}

static bool has_ports(uint8_t l4proto)
{
	return l4proto == IPPROTO_TCP || l4proto == IPPROTO_UDP || l4proto == IPPROTO_SCTP || l4proto == IPPROTO_DCCP;
}

static void put_transport(json_t *j, uint8_t l4proto)
{
	char text[WORD_TEXT];

	if (l4proto != 0)
		set_text(j, "transport", transport_text(l4proto, text));
}

static void put_flow(json_t *j, const struct event *e)
{
	bool ports = has_ports(e->l4proto);

	if (e->client.family != 0)
		json_object_set_new(j, "client", json_endpoint(&e->client, ports ? e->client_port : 0));
	if (e->server.family != 0 && e->kind != EVENT_DEVICE)
		json_object_set_new(j, "server", json_endpoint(&e->server, ports ? e->server_port : 0));
	put_transport(j, e->l4proto);
	if (e->l4proto == IPPROTO_ICMP || e->l4proto == IPPROTO_ICMPV6) {
		set_number(j, "icmp_type", e->server_port >> 8);
		set_number(j, "icmp_code", e->server_port & 255u);
	}
}

/* Client, function, addresses: only in records of a command. */
static void put_command(json_t *j, const struct event *e)
{
	const struct vocabulary *v = vocabulary_of((enum protocol)e->protocol);
	const struct function_info *f = v != NULL ? function_by_code(v, e->function) : NULL;

	if (v == NULL || (e->kind != EVENT_PDU && e->kind != EVENT_COUNTS))
		return;
	targets_json(j, e->targets, v);
	set_number(j, "function", e->function);
	if (f != NULL)
		set_text(j, "function_name", f->name);
	if (space_key(v, e->space) != NULL) {
		set_text(j, "space", space_key(v, e->space));
		set_number(j, "address", e->address);
		set_number(j, "quantity", e->quantity);
		json_object_set_new(j, "place", place_json(v, e->space, e->address, e->quantity));
		if (e->kind == EVENT_COUNTS && e->code != COUNTS_UNSAID)
			set_text(j, "places", e->code == COUNTS_SPAN ? "span" : "exact");
	}
	if (e->limit.what == LIMIT_WROTE)
		json_object_set_new(j, "wrote",
				    json_pack("{s:I, s:I}", "low", (json_int_t)e->limit.allowed[0].lo, "high",
					      (json_int_t)e->limit.allowed[0].hi));
	else if (e->limit.what != LIMIT_NONE)
		json_object_set_new(j, "limit", limit_json(&e->limit, v, e->space));
}

static bool event_of_door(const struct event *e)
{
	return e->code == POLICY_DOOR_OPENED || e->code == POLICY_DOOR_GLASS || e->code == POLICY_DOOR_SHUT ||
	       e->code == POLICY_DOOR_ENDED || e->code == POLICY_DOOR_NOTED;
}

static bool by_person(const struct event *e)
{
	return e->kind == EVENT_ATTACK && (e->code == ATTACK_ACKNOWLEDGED || e->code == ATTACK_SILENCED);
}

static void put_texts(json_t *j, const struct event *e)
{
	static const char *const keys[EVENT_TEXTS] = {
		[EVENT_OBJECT] = "object",
		[EVENT_BEFORE] = "before",
		[EVENT_AFTER] = "after",
		[EVENT_BY] = "by",
	};

	for (unsigned i = 0; i < EVENT_TEXTS; i++)
		if (e->text[i][0] != 0 && e->kind != EVENT_WEAK && e->kind != EVENT_UNDECLARED)
			set_text(j, i == EVENT_BEFORE && (event_device_ordered(e) || by_person(e)) ? "person" : keys[i],
				 e->text[i]);
}

/* Adds what the TLS hellos said. A sum of different hellos has none of it. */
static void put_tls(json_t *j, const struct event *e)
{
	uint16_t offered = (uint16_t)(e->value >> 32), version = (uint16_t)(e->value >> 16), suite = (uint16_t)e->value;
	char room[TLS_VERSION_TEXT], number_text[8];
	json_t *tls, *weak;

	set_number(j, "seconds", e->address);
	if (e->space != WEAK_HELLO || e->value >> 48 != 0)
		return;
	tls = json_object();
	weak = json_array();
	set_text(tls, "version", tls_version_name(version, room));
	snprintf(number_text, sizeof(number_text), "0x%04x", suite);
	set_text(tls, "cipher", tls_suite_name(suite) != NULL ? tls_suite_name(suite) : number_text);
	if (offered != 0)
		set_text(tls, "offered", tls_version_name(offered, room));
	if (e->text[EVENT_OBJECT][0] != 0)
		set_text(tls, "sni", e->text[EVENT_OBJECT]);
	for (unsigned w = 0; w < TLS_WEAKNESS_COUNT; w++)
		if (e->quantity >> w & 1u)
			json_array_append_new(weak, json_string(tls_weakness_word((enum tls_weakness)w)));
	json_object_set_new(tls, "weak", weak);
	json_object_set_new(j, "tls", tls);
}

static void put_attack(json_t *j, const struct event *e)
{
	bool rang = e->code == ATTACK_RANG_GRAVE || e->code == ATTACK_RANG || e->code == ATTACK_RANG_TEST;

	if (e->space < ATTACK_CAUSES)
		set_text(j, "attack", attack_word(e->space));
	if (rang || by_person(e))
		set_number(j, "number", e->value);
	if (rang && e->quantity > 1)
		set_number(j, "hosts", e->quantity);
	if (rang && e->space != ATTACK_SPOOFED && e->address >> 32 > 1)
		set_number(j, "destinations", e->address >> 32);
	if (rang && (e->address & UINT32_MAX) > 1)
		set_number(j, "rung", e->address & UINT32_MAX);
	if (e->code == ATTACK_SILENCED)
		set_number(j, "seconds", e->address);
	if (e->code == ATTACK_THRESHOLDS)
		set_number(j, "version", e->value);
	if (e->code == ATTACK_TESTED || e->code == ATTACK_TEST_FAILED)
		set_number(j, "conditions", e->quantity);
}

static void put_what(json_t *j, const struct event *e, enum role from)
{
	const char *code = event_code_word(e->kind, e->code);
	char mac[MAC_TEXT], web[ADDR_TEXT];

	switch ((enum event_kind)e->kind) {
	case EVENT_ROLE:
		set_text(j, "role", role_name((enum role)e->value));
		set_number(j, "index", e->address);
		if (e->quantity > 0)
			set_number(j, "unsure", e->quantity);
		break;
	case EVENT_POLICY:
		set_number(j, "value", e->value);
		if (e->code == POLICY_BACKED_UP)
			set_number(j, "bytes", e->quantity);
		else if (e->code == POLICY_APPLIED && e->quantity > 0)
			set_number(j, "more", e->quantity);
		else if (event_of_door(e) && e->quantity > 0)
			set_number(j, "opening", e->quantity);
		break;
	case EVENT_DRIFT:
		set_text(j, "role", role_name(from));
		set_number(j, "value", e->value);
		break;
	case EVENT_DECIDED:
		set_text(j, "role", role_name(from));
		/* A sum may cover several lanes. */
		if (e->value < LANE_COUNT)
			set_number(j, "value", e->value);
		break;
	case EVENT_PASSED:
		if (e->code == PASSED_ENDED && e->space == PASSED_COUNTED) {
			set_number(j, "seconds", e->quantity);
			set_number(j, "bytes_c2s", e->address);
			set_number(j, "bytes_s2c", e->value);
		}
		break;
	case EVENT_WEAK:
		put_tls(j, e);
		break;
	case EVENT_UNDECLARED:
		set_number(j, "seconds", e->address);
		if (e->space == UNDECLARED_NAME)
			json_object_set_new(j, "server_name",
					    e->text[EVENT_OBJECT][0] != 0 ? json_text(e->text[EVENT_OBJECT])
									  : json_null());
		break;
	case EVENT_COUNTS:
		set_number(j, "sessions", e->value & UINT32_MAX);
		set_number(j, "seconds", e->value >> 32);
		break;
	case EVENT_LOST:
		set_text(j, "role", role_name(from));
		if (code != NULL)
			set_number(j, "value", e->value);
		break;
	case EVENT_ACCESS:
		set_number(j, "reads", e->value);
		break;
	case EVENT_DEVICE:
		if (e->value != 0) {
			event_mac_text(e->value, mac);
			set_text(j, "mac", mac);
		}
		if (e->code == DEVICE_RESTORED)
			set_number(j, "unreviewed", e->quantity);
		if (e->server.family != 0) {
			addr_text(&e->server, web);
			set_text(j, "web_client", web);
		}
		break;
	case EVENT_SILENCE:
		set_number(j, "seconds", e->value);
		break;
	case EVENT_ATTACK:
		put_attack(j, e);
		break;
	case EVENT_NONE:
	case EVENT_DROP:
	case EVENT_PDU:
	case EVENT_FLOW:
	case EVENT_LOGIN:
	case EVENT_MACHINE:
	case EVENT_ACCOUNT:
	case EVENT_KIND_COUNT:
		break;
	}
	if (code != NULL)
		set_text(j, "code", code);
	put_texts(j, e);
}

/* The names of an address in the policy: "server_asset", "server_label", "server_zone". */
static void put_end(json_t *j, const char *end, const struct named_end *n)
{
	char key[24];

	if (n->asset != NULL) {
		snprintf(key, sizeof(key), "%s_asset", end);
		set_text(j, key, n->asset);
		snprintf(key, sizeof(key), "%s_label", end);
		if (*n->label != '\0')
			set_text(j, key, n->label);
	}
	if (n->zone != NULL) {
		snprintf(key, sizeof(key), "%s_zone", end);
		set_text(j, key, n->zone);
	}
}

/* The time in seconds that the event sums up. */
static uint64_t sums_up(const struct event *e)
{
	if (e->kind == EVENT_COUNTS)
		return e->value >> 32;
	if (e->kind == EVENT_WEAK || e->kind == EVENT_UNDECLARED)
		return e->address;
	return e->kind == EVENT_PASSED && e->space == PASSED_COUNTED ? e->quantity : 0;
}

static bool about_traffic(const struct event *e)
{
	return e->kind == EVENT_DROP || e->kind == EVENT_PDU || e->kind == EVENT_FLOW || e->kind == EVENT_COUNTS ||
	       e->kind == EVENT_DECIDED || e->kind == EVENT_PASSED || e->kind == EVENT_WEAK ||
	       e->kind == EVENT_UNDECLARED;
}

/* The interface and network where a device was heard. */
static void put_place(json_t *j, const struct event *e, const struct names *n)
{
	struct named_place place;

	if (e->kind != EVENT_DEVICE)
		return;
	names_of_place(n, e, &place);
	if (place.interface != NULL)
		set_text(j, "interface", place.interface);
	if (place.asset != NULL)
		set_text(j, "client_asset", place.asset);
	if (*place.zone != '\0')
		set_text(j, "client_zone", place.zone);
}

json_t *event_json(const struct event *e, enum role from, const struct names *n)
{
	json_t *j = json_object();
	struct named named;

	json_object_set_new(j, "time", json_time(e->wall_ns));
	if (e->said_ns != 0)
		json_object_set_new(j, "said_time", json_time(e->said_ns));
	set_text(j, "kind", event_kind_word(e->kind));
	set_text(j, "severity", event_severity_word(event_severity(e->kind, e->code)));
	if (about_traffic(e) || e->kind == EVENT_LOGIN)
		set_text(j, "verdict", event_verdict_word(e->verdict));
	if (e->generation.number != 0)
		json_object_set_new(j, "generation",
				    json_pack("{s:I, s:o}", "number", (json_int_t)e->generation.number, "digest",
					      json_sprintf("%016llx", (unsigned long long)e->generation.digest)));
	if (e->reason != R_NONE)
		set_text(j, "reason", reason_word((enum reason)e->reason));
	if (about_traffic(e) || e->kind == EVENT_SILENCE) {
		names_of_event(n, e, &named);
		if (e->permit != 0)
			set_number(j, "permit", e->permit);
		if (named.conduit != NULL)
			set_text(j, "conduit", named.conduit);
		if (named.conduit_label != NULL && *named.conduit_label != '\0')
			set_text(j, "conduit_label", named.conduit_label);
		if (named.file != NULL)
			set_text(j, "file", named.file);
		if (named.line != 0)
			set_number(j, "line", named.line);
		json_object_set_new(j, "openings", names_openings(n, e, sums_up(e)));
		if (named.row_file != NULL)
			json_object_set_new(j, "row",
					    json_pack("{s:o, s:I}", "file", json_text(named.row_file), "line",
						      (json_int_t)e->row.line));
		put_flow(j, e);
		put_end(j, "client", &named.client);
		put_end(j, "server", &named.server);
		if (e->kind == EVENT_PDU || (e->kind == EVENT_COUNTS && e->s2c != 0))
			set_text(j, "direction", e->s2c != 0 ? "s2c" : "c2s");
		if (named.interface != NULL)
			set_text(j, "interface", named.interface);
		if (e->protocol != PROTO_NONE)
			set_text(j, "protocol", protocol_info((enum protocol)e->protocol)->name);
		if (protocol_is((enum protocol)e->protocol, PROTO_IN_CLEAR))
			json_object_set_new(j, FILTER_IN_CLEAR, json_true());
		put_command(j, e);
	} else {
		put_flow(j, e);
		put_place(j, e, n);
	}
	put_what(j, e, from);
	set_number(j, "count", e->count);
	return j;
}
