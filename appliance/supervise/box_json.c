/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/box_json.h"

#include <limits.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/supervise/passed.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/settings.h"

json_t *json_generation(const struct supervisor *s)
{
	const struct generation_record *g = generation_find(&s->store, s->now->number);
	bool waiting = s->trial != 0 && s->trial == s->now->number;
	/* Whoever went back to it put it into force, whoever applied it once. */
	bool went_back = g != NULL && !waiting && g->why == WHY_ROLLBACK;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)s->now->number, "digest",
			 json_hex(s->now->ir->digest, 32), "state",
			 s->now->number == 0 ? "none"
			 : waiting	     ? "waiting"
					     : "confirmed",
			 "applied", g != NULL ? json_time(went_back ? g->changed_ns : g->applied_ns) : json_null(),
			 "confirm_by", waiting ? json_time(trial_until(s)) : json_null(), "by",
			 g != NULL ? json_text(went_back ? g->changed_by : g->by) : json_null());
}

json_t *json_site(const struct supervisor *s)
{
	const struct ir *ir = s->now->ir;

	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label),
			 "contact", json_text(ir->site_contact), "records",
			 ir->records_purpose[0] == '\0'
				 ? json_null()
				 : json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose), "responsible",
					     json_text(ir->records_responsible)));
}

/* Of which box, site and moment this is true. The digest is the one that was read back from the kernel. */
void json_moment(const struct supervisor *s, json_t *j)
{
	json_t *generation = json_object_get(j, "generation"), *all = json_generation(s);
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(generation, "digest"), json_object_get(all, "digest")))
		json_object_update_missing(generation, all);
	json_decref(all);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

/* Which process it is, put into `j`. */
static json_t *json_slot(const struct slot *sl, json_t *j)
{
	json_object_set_new(j, "role", json_string(role_name(sl->role)));
	json_object_set_new(j, "index", json_integer(sl->index));
	if (sl->role == ROLE_DPI || sl->role == ROLE_GATE)
		json_object_set_new(j, "kind", json_string(lane_kind_words[pair_kind(sl->index)]));
	return j;
}

static json_t *json_roles(const struct supervisor *s)
{
	static const char *const states[] = {
		[SLOT_OFF] = "off",
		[SLOT_DEAD] = "dead",
		[SLOT_STARTING] = "starting",
		[SLOT_RUNNING] = "running",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *sl = &s->slots[i];

		if (sl->state != SLOT_OFF)
			json_array_append_new(
				list, json_slot(sl, json_pack("{s:i, s:s, s:i, s:o}", "pid", (int)sl->pid, "state",
							      states[sl->state], "restarts", (int)sl->restarts, "since",
							      json_time(sl->since_wall))));
	}
	return list;
}

static json_t *json_notice(const struct supervisor *s)
{
	if (sentence_said(&s->store_error))
		return sentence_json(&s->store_error);
	if (sentence_said(&s->trial_error))
		return sentence_json(&s->trial_error);
	if (sentence_said(&s->boot_error))
		return sentence_json(&s->boot_error);
	return is_unsaved(s) ? json_sentence(M_STORE_UNSAVED) : json_null();
}

static json_t *json_by_kind(const uint32_t n[LANE_KINDS])
{
	json_t *j = json_object();

	for (unsigned k = 0; k < LANE_KINDS; k++)
		json_object_set_new(j, lane_kind_words[k], json_integer(n[k]));
	return j;
}

#define CHANGES_SHOWN 8u
#define CHANGES_NS (86400u * 1000000000ull)

/* What became of the policy in the last day, the youngest first: for whoever comes on duty. */
static json_t *json_changes(const struct supervisor *s)
{
	uint64_t now = clock_wall_ns();
	json_t *list = json_array();

	for (size_t i = s->store.n; i > 0 && json_array_size(list) < CHANGES_SHOWN; i--) {
		const struct generation_record *g = &s->store.list[i - 1];
		uint64_t at = g->changed_ns > g->applied_ns ? g->changed_ns : g->applied_ns;

		if (at <= now && now - at > CHANGES_NS)
			continue;
		json_array_append_new(list, json_pack("{s:I, s:o, s:o, s:s, s:o, s:o}", "number", (json_int_t)g->number,
						      "applied", json_time(g->applied_ns), "by", json_text(g->by),
						      "state", generation_state_name(g->state), "changed",
						      json_time(g->changed_ns), "changed_by",
						      *g->changed_by != 0 ? json_text(g->changed_by) : json_null()));
	}
	return list;
}

/* Addresses, links and routes that others changed; rules and settings are enforce's to tell. */
static json_t *json_network_drifts(const struct supervisor *s)
{
	uint64_t wall_ns, n = network_drifts(s, &wall_ns);

	return json_pack("{s:I, s:o}", "seen", (json_int_t)n, "last", n > 0 ? json_time(wall_ns) : json_null());
}

static json_t *json_status(struct supervisor *s)
{
	json_t *j = json_object();

	json_object_set_new(j, "site", json_site(s));
	json_object_set_new(j, "generation", json_generation(s));
	json_object_set_new(j, "changes", json_changes(s));
	json_object_set_new(j, "network_drifts", json_network_drifts(s));
	json_object_set_new(j, "roles", json_roles(s));
	json_object_set_new(j, "interfaces", json_interfaces(s));
	json_object_set_new(j, "reach", json_reach(s));
	json_object_set_new(j, "clock", json_clock(s));
	json_object_set_new(j, "uninspected", json_uninspected(s));
	json_object_set_new(j, "unheard", json_unheard(s));
	json_object_set_new(j, "log", json_log(s));
	json_object_set_new(j, "ups", json_ups(s));
	json_object_set_new(j, "mail", json_mail(s));
	json_object_set_new(j, "snmp", json_snmp(s));
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "cores", json_integer(s->cores));
	json_object_set_new(j, "workers_asked", json_by_kind(s->workers_asked));
	json_object_set_new(j, "workers_run", json_by_kind(s->workers_run));
	json_object_set_new(j, "partition", partition_json(&s->partition));
	json_object_set_new(j, "notice", json_notice(s));
	return j;
}

/* By which table workers should judge, and which of them. */
static void add_tables(const struct supervisor *s, json_t *j)
{
	json_t *pairs = json_array();

	for (uint32_t w = 0; w < PAIR_MAX; w++)
		if (s->pairs[w].wanted)
			json_array_append_new(pairs, json_integer(w));
	json_object_set_new(j, "pairs", pairs);
	json_object_set_new(j, "table", json_hex(s->table_digest, sizeof(s->table_digest)));
}

static json_t *json_effective(struct supervisor *s)
{
	json_t *j = json_object();

	add_tables(s, j);
	json_object_set_new(j, "record_passed", passed_json(s));
	json_object_set_new(j, "answers", json_answering(s));
	json_object_set_new(j, "reach", json_reach(s));
	json_object_set_new(j, "clock", json_clock(s));
	json_object_set_new(j, "moment", json_object());
	json_moment(s, json_object_get(j, "moment"));
	json_object_set_new(json_object_get(j, "moment"), "generation", json_generation(s));
	return j;
}

static json_t *json_verify(struct supervisor *s)
{
	json_t *j = json_object();

	add_tables(s, j);
	json_object_set_new(j, "surroundings", json_surroundings(s));
	json_object_set_new(j, "passed_differs", json_boolean(passed_differs(s)));
	return j;
}

json_t *json_box(struct supervisor *s, enum box_what what)
{
	static json_t *(*const makers[BOX_WHATS])(struct supervisor *) = {
		[BOX_STATUS] = json_status,
		[BOX_EFFECTIVE] = json_effective,
		[BOX_VERIFY] = json_verify,
	};

	return makers[what](s);
}
