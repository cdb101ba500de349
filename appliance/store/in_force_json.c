/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/store/in_force_json.h"

#include <limits.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/store/waiting.h"

#define SECOND 1000000000ull

json_t *site_json(const struct ir *ir)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(ir->site_name), "label", json_text(ir->site_label),
			 "contact", json_text(ir->site_contact), "records",
			 ir->records_purpose[0] == '\0'
				 ? json_null()
				 : json_pack("{s:o, s:o}", "purpose", json_text(ir->records_purpose), "responsible",
					     json_text(ir->records_responsible)));
}

json_t *generation_json(const struct generation_store *store, uint64_t number, const struct ir *ir, uint64_t trial,
			uint64_t until_ns)
{
	const struct generation_record *g = generation_find(store, number);
	bool waiting = trial != 0 && trial == number;
	/* The person who last put the policy into force: after a rollback the one who rolled back,
	 * not the one who applied it first. */
	bool went_back = g != NULL && !waiting && g->why == WHY_ROLLBACK;

	return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)number, "digest",
			 json_hex(ir->digest, 32), "state",
			 number == 0 ? "none"
			 : waiting   ? "waiting"
				     : "confirmed",
			 "applied", g != NULL ? json_time(went_back ? g->changed_ns : g->applied_ns) : json_null(),
			 "confirm_by", waiting && until_ns != 0 ? json_time(until_ns) : json_null(), "by",
			 g != NULL ? json_text(went_back ? g->changed_by : g->by) : json_null());
}

void moment_json(json_t *j, json_t *generation, json_t *site)
{
	json_t *own = json_object_get(j, "generation");
	char host[HOST_NAME_MAX + 1] = "";

	if (json_equal(json_object_get(own, "digest"), json_object_get(generation, "digest")))
		json_object_update_missing(own, generation);
	json_decref(generation);
	(void)gethostname(host, sizeof(host) - 1);
	json_object_set_new(j, "host", json_text(host));
	json_object_set_new(j, "site", site);
	json_object_set_new(j, "time", json_time(clock_wall_ns()));
}

json_t *clock_json(const struct clock_said *c, const struct ir *ir)
{
	bool waits = c->wait != CLOCK_TRUSTED;

	return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:o}", "time", json_time(clock_wall_ns()), "trusted",
			 (int)!waits, "waits", waits ? json_string(clock_wait_words[c->wait]) : json_null(), "latest",
			 c->found == MOMENT_READ ? json_time(c->latest * SECOND) : json_null(), "synchronised",
			 c->sync == CLOCK_SYNC_UNKNOWN ? json_null() : json_boolean(c->sync == CLOCK_SYNC_YES), "since",
			 c->since_ns != 0 ? json_time(c->since_ns) : json_null(), "sources", (int)c->sources, "waiting",
			 waits ? waiting_names(ir, clock_wall_ns() / SECOND) : json_array());
}
