/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the numbers in a role's status into JSON. Field names come from message.def, words for
 * lists from the reasons, lanes and states: no text comes from a role that reads hostile bytes.
 * Unknown devices, servers with weak TLS and alarms of attacks are listed by the journal, as digits
 * and names of the policy.
 */
#include "appliance/control/role_json.h"

#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/msg_json.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/tls.h"

static json_t *reasons_json(const struct msg_dpi_status *a)
{
	json_t *j = json_object();

	for (unsigned r = 0; r < REASON_COUNT; r++)
		if (a->reasons[r] != 0)
			json_object_set_new(j, reason_word((enum reason)r), json_integer((json_int_t)a->reasons[r]));
	return j;
}

/* Shares of the lanes in use. */
static json_t *shares_json(const struct msg_dpi_status *a)
{
	json_t *list = json_array();

	for (uint32_t n = 0; n < LANE_SHARES; n++)
		if (a->share_flows_max[n] > 0)
			json_array_append_new(list, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I}", "kind",
							      lane_kind_words[n / CRITICALITIES], "criticality",
							      criticality_words[n % CRITICALITIES], "flows",
							      (json_int_t)a->share_flows[n], "flows_max",
							      (json_int_t)a->share_flows_max[n], "pool_used",
							      (json_int_t)a->share_pool_used[n], "pool_bytes",
							      (json_int_t)a->share_pool_bytes[n]));
	return list;
}

/* Time that inspection took, in us; for parts that had packets. */
static json_t *latency_json(const struct msg_dpi_status *a)
{
	json_t *list = json_array();

	for (uint32_t n = 0; n < LANE_SHARES; n++) {
		json_t *within;

		if (a->latency_packets[n] == 0)
			continue;
		within = json_array();
		for (uint32_t i = 0; i < LATENCY_TOLD; i++)
			json_array_append_new(within, json_pack("{s:I, s:I}", "us",
								(json_int_t)1 << (LATENCY_FIRST + i), "packets",
								(json_int_t)a->latency_within[n * LATENCY_TOLD + i]));
		json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "kind",
						      lane_kind_words[n / CRITICALITIES], "criticality",
						      criticality_words[n % CRITICALITIES], "packets",
						      (json_int_t)a->latency_packets[n], "sum_us",
						      (json_int_t)(a->latency_sum[n] / 1000), "p50_us",
						      (json_int_t)(a->latency_p50[n] / 1000), "p99_us",
						      (json_int_t)(a->latency_p99[n] / 1000), "max_us",
						      (json_int_t)(a->latency_max[n] / 1000), "within", within));
	}
	return list;
}

static json_t *queues_json(const struct msg_gate_status *a, uint32_t index)
{
	json_t *list = json_array();

	for (uint32_t n = 0; n < LANE_COUNT; n++)
		if ((a->lanes >> n & 1u) != 0)
			json_array_append_new(list, json_pack("{s:i,s:i,s:s,s:I,s:I,s:I}", "lane", (int)n, "worker",
							      (int)index, "kind", lane_kind_words[pair_kind(index)],
							      "outstanding", (json_int_t)a->outstanding[n],
							      "dropped_full", (json_int_t)a->dropped_full[n],
							      "dropped_user", (json_int_t)a->dropped_user[n]));
	return list;
}

/* Replaces all members that begin with `prefix` by one. */
static void gather_members(json_t *j, const char *prefix, const char *name, json_t *value)
{
	const char *key;
	void *next;
	json_t *v;

	json_object_foreach_safe(j, next, key, v) {
		if (strncmp(key, prefix, strlen(prefix)) == 0)
			json_object_del(j, key);
	}
	json_object_set_new(j, name, value);
}

/* The register of devices, and those that somebody should look at. */
static void put_devices(json_t *j, const struct msg_journal_status *a)
{
	bool overdue =
		a->devices_reviewed == 0 && a->devices_new > 0 && a->devices_began + DEVICES_LEARN_S < clock_wall_s();
	const char *anew = device_anew_word(a->devices_anew);
	json_t *list = json_array();

	for (size_t i = 0; i < DEVICES_TOLD; i++) {
		const char *who = (const char *)&a->devices_who[i * DEVICES_TOLD_BYTES];

		if ((uint32_t)a->devices_told[i] == 0 || memchr(who, 0, DEVICES_TOLD_BYTES) == NULL)
			break;
		json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:o}", "number",
						      (json_int_t)(uint32_t)a->devices_told[i], "state",
						      device_state_word((unsigned)(a->devices_told[i] >> 32)), "since",
						      json_seconds(a->devices_since[i]), "device", json_text(who)));
	}
	gather_members(j, "devices_", "devices",
		       json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:b, s:o}", "listed", (json_int_t)a->devices, "new",
				 (json_int_t)a->devices_new, "beyond", (json_int_t)a->devices_beyond, "began",
				 json_seconds(a->devices_began), "reviewed", json_seconds(a->devices_reviewed), "anew",
				 anew != NULL ? json_string(anew) : json_null(), "overdue", overdue, "unknown", list));
}

static json_t *weak_words(uint64_t bits)
{
	json_t *list = json_array();

	for (unsigned w = 0; w < TLS_WEAKNESS_COUNT; w++)
		if ((bits >> w & 1u) != 0)
			json_array_append_new(list, json_string(tls_weakness_word((enum tls_weakness)w)));
	return list;
}

/* The servers with weak TLS, and those that somebody should look at. */
static void put_weak(json_t *j, const struct msg_journal_status *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < WEAK_TOLD && i < a->weak_new; i++) {
		const char *server = (const char *)&a->weak_server[i * WEAK_TOLD_SERVER],
			   *conduit = (const char *)&a->weak_conduit[i * WEAK_TOLD_CONDUIT];

		if (memchr(server, 0, WEAK_TOLD_SERVER) == NULL || memchr(conduit, 0, WEAK_TOLD_CONDUIT) == NULL)
			break;
		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "server",
					*server != '\0' ? json_text(server) : json_null(), "conduit",
					*conduit != '\0' ? json_text(conduit) : json_null(), "weak",
					weak_words(a->weak_bits[i]), "first", json_seconds(a->weak_first[i]), "last",
					json_seconds(a->weak_last[i]), "sessions", (json_int_t)a->weak_sessions[i]));
	}
	gather_members(j, "weak_", "weak",
		       json_pack("{s:I, s:I, s:I, s:b, s:o}", "servers", (json_int_t)a->weak, "new",
				 (json_int_t)a->weak_new, "beyond", (json_int_t)a->weak_beyond, "damaged",
				 a->weak_damaged != 0, "alarms", list));
}

static json_t *attack_json(const struct msg_journal_status *a, size_t i)
{
	const char *from = (const char *)&a->attack_from[i * ATTACK_END],
		   *to = (const char *)&a->attack_to[i * ATTACK_END];
	uint64_t what = a->attack_what[i];

	if (memchr(from, 0, ATTACK_END) == NULL || memchr(to, 0, ATTACK_END) == NULL || (what & 255u) >= ATTACK_CAUSES)
		return NULL;
	return json_pack("{s:I, s:I, s:s, s:b, s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "number",
			 (json_int_t)(uint32_t)a->attack_number[i], "rung", (json_int_t)(a->attack_number[i] >> 32),
			 "attack", attack_word(what & 255u), "grave", (int)(what >> 8 & 1u), "test",
			 (int)(what >> 9 & 1u), "first", json_seconds(a->attack_first[i]), "last",
			 json_seconds(a->attack_last[i]), "rang", json_seconds(a->attack_rang[i]), "count",
			 (json_int_t)a->attack_count[i], "hosts", (json_int_t)(what >> 16 & 0xffffu), "places",
			 (json_int_t)(what >> 32), "from", json_text(from), "to", json_text(to));
}

/* The alarms of attacks, and the gravest that sound one by one. */
static void put_attacks(json_t *j, const struct msg_journal_status *a)
{
	json_t *list = json_array(), *missed = json_array(), *one;

	for (size_t i = 0; i < ATTACK_TOLD && i < a->attack_rings && (one = attack_json(a, i)) != NULL; i++)
		json_array_append_new(list, one);
	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		if ((a->attack_missed >> i & 1u) != 0)
			json_array_append_new(missed, json_string(attack_word(i)));
	gather_members(j, "attack_", "attacks",
		       json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:o}", "ringing",
				 (json_int_t)a->attack_rings, "acknowledged", (json_int_t)a->attack_acknowledged,
				 "silenced", (json_int_t)a->attack_silenced, "beyond", (json_int_t)a->attack_beyond,
				 "version", (json_int_t)a->attack_version, "tested", json_seconds(a->attack_tested),
				 "test_missed", missed, "damaged", a->attack_damaged != 0, "alarms", list));
}

/* How full the records' disk is; null: unknown. */
static void put_disk(json_t *j, const struct msg_journal_status *a)
{

	gather_members(
		j, "disk_", "disk",
		a->disk_bytes == 0
			? json_null()
			: json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:o, s:o}", "bytes", (json_int_t)a->disk_bytes,
				    "free", (json_int_t)a->disk_free, "files", (json_int_t)a->disk_files, "files_free",
				    (json_int_t)a->disk_files_free, "records_bytes", (json_int_t)a->disk_records,
				    "used_percent", (int)a->disk_used, "nearly_full", (int)a->disk_near, "since",
				    json_seconds(a->disk_since), "full_in_s",
				    a->disk_full_in != 0 ? json_integer((json_int_t)a->disk_full_in) : json_null()));
}

json_t *role_json(const struct msg_body *says, uint32_t index)
{
	static const char *const states[GATE_STATES] = {
		[GATE_ALONE] = "alone",
		[GATE_STARTING] = "starting",
		[GATE_RUNNING] = "running",
	};
	static const char *const tokens[MGMT_TOKENS] = { "kept", "anew", "none" };
	json_t *j = msg_json(says);

	if (says->type == MSG_DPI_STATUS || says->type == MSG_GATE_STATUS) {
		json_object_set_new(j, "index", json_integer(index));
		json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(index)]));
	}
	if (says->type == MSG_DPI_STATUS) {
		json_object_set_new(j, "reasons", reasons_json(&says->dpi_status));
		json_object_set_new(j, "shares", shares_json(&says->dpi_status));
		json_object_set_new(j, "latency", latency_json(&says->dpi_status));
	}
	if (says->type == MSG_GATE_STATUS) {
		json_object_set_new(j, "state", json_string(states[says->gate_status.state]));
		json_object_set_new(j, "queues", queues_json(&says->gate_status, index));
		json_object_del(j, "lanes");
	}
	if (says->type == MSG_MGMT_STATUS)
		json_object_set_new(j, "token", json_string(tokens[says->mgmt_status.token]));
	if (says->type == MSG_ACCOUNTS_STATUS) {
		json_object_set_new(j, "damaged", json_boolean(says->accounts_status.damaged));
		json_object_set_new(j, "unsaved", json_boolean(says->accounts_status.unsaved));
		json_object_set_new(j, "leaked_damaged", json_boolean(says->accounts_status.leaked_damaged));
		json_object_set_new(j, "leaked_since", json_seconds(says->accounts_status.leaked_since));
	}
	if (says->type == MSG_JOURNAL_STATUS) {
		json_object_set_new(
			j, "last", says->journal_status.last != 0 ? json_time(says->journal_status.last) : json_null());
		if (*says->journal_status.trouble == '\0')
			json_object_set_new(j, "trouble", json_null());
		json_object_set_new(j, "stuck", json_boolean(says->journal_status.stuck));
		json_object_set_new(j, "held", json_boolean(says->journal_status.held));
		json_object_set_new(j, "holds_damaged", json_boolean(says->journal_status.holds_damaged));
		json_object_set_new(j, "signs", json_boolean(says->journal_status.signs));
		put_devices(j, &says->journal_status);
		put_weak(j, &says->journal_status);
		put_attacks(j, &says->journal_status);
		put_disk(j, &says->journal_status);
	}
	return j;
}
