/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is in force, at which site, and the state of the clock, as JSON for people
 * (docs/json.md). Also used without a daemon. The caller owns what is returned. */
#ifndef SEKISHO_STORE_IN_FORCE_JSON_H
#define SEKISHO_STORE_IN_FORCE_JSON_H

#include "appliance/base/json.h"
#include "appliance/store/generation.h"
#include "appliance/store/moment.h"
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
	/* wall ns since when the kernel says so about the source; 0 = not known */
	uint64_t since_ns;
	bool sources; /* time sources decide whether the clock is trusted */
};
/* {"time", "trusted", "waits", "latest", "synchronised", "since", "sources", "waiting": names of
 * conduits of `ir`}. */
json_t *clock_json(const struct clock_said *c, const struct ir *ir);

#endif
