/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force, most of it as JSON for people (docs/json.md): the policy, the site, the state
 * of the clock, the conduits that wait for it, and how long records are kept. Also used without a
 * daemon. The caller owns what is returned.
 */
#ifndef SEKISHO_STORE_IN_FORCE_H
#define SEKISHO_STORE_IN_FORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/store/generation.h"
#include "appliance/store/moment.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

json_t *site_json(const struct ir *ir);
/* `trial`: the generation on trial, 0 = none; `until_ns`: wall ns when that ends, 0 = not by
 * itself. */
json_t *generation_json(const struct generation_store *store, uint64_t number, const struct ir *ir, uint64_t trial,
			uint64_t until_ns);
/* Adds to `j` the box, the site and the moment, and what `generation` says of the generation with
 * the digest that was read back from the kernel. Takes the reference. */
void moment_json(json_t *j, json_t *generation, json_t *site);

struct clock_said {
	enum clock_wait wait;
	enum moment_found found;
	uint64_t latest; /* with MOMENT_READ: the latest moment on record */
	enum clock_sync sync;
	/* wall ns since when `sync` has been the kernel's answer; 0 = not known */
	uint64_t since_ns;
	bool sources; /* time sources decide whether the clock is trusted */
};
/* {"time", "trusted", "waits", "latest", "synchronised", "since", "sources", "waiting": names of
 * conduits of `ir`}. */
json_t *clock_json(const struct clock_said *c, const struct ir *ir);

/* A line of the history. `in_force`: the number of the generation in force. */
json_t *json_record(const struct generation_record *g, uint64_t in_force);

/* ---- conduits that wait for the clock -------------------------------------------------------- */

/*
 * The conduits that wait for a trusted clock: those with an end in the future, by the present
 * clock, and those without an end that have a start or hours. The caller decides whether the clock
 * is trusted.
 */

/* `now`: seconds since 1970, as everywhere here. */
uint32_t waiting_count(const struct ir *ir, uint64_t now);
/* An array of their names; owned by the caller. */
json_t *waiting_names(const struct ir *ir, uint64_t now);
/* Sets "waits" in every object of `list`: whether the conduit "name" waits; if `waits` is false,
 * false for all. Takes time in proportion to their number. */
void waiting_mark(const struct ir *ir, uint64_t now, bool waits, json_t *list);

/* ---- how long records are kept --------------------------------------------------------------- */

#define RETENTION_TEXT 64u

/* The rule for the journal now. A deletion cannot be undone, so nothing is deleted while a policy
 * is on trial or the clock is not trusted. */
struct msg_retention retention_now(const struct ir *ir, uint64_t trial, bool trusted);
/* The rule that the journal follows, from its status: {"keep_days", "delete_after_days"}, both 0
 * when it deletes nothing; null without an answer. */
json_t *retention_json(const json_t *journal);
/* Whether the journal answered and follows another rule than `want`; then both are given
 * as text. */
bool retention_differs(const json_t *journal, const struct msg_retention *want, char ret_is[RETENTION_TEXT],
		       char ret_want[RETENTION_TEXT]);

#endif
