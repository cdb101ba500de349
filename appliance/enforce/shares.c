/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full connection tracking is, and whose sessions fill it, by zone and lane as the rules limit
 * them. Sessions are counted one by one only when there are enough to half fill a share.
 */
#include <stdlib.h>

#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"

#define SHARE_MOST IR_ZONE_SESSIONS

json_t *enforce_lane_json(uint32_t number)
{
	char text[WORD_TEXT];

	return json_string(lane_text(number, text));
}

struct census {
	const struct ir *ir;
	uint32_t (*n)[LANE_COUNT]; /* by zone; the last row: sessions of no zone in force */
};

static uint32_t zone_of(const struct ir *ir, const struct addr *a)
{
	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t r = 0; r < ir->zones[z].n_ranges; r++)
			if (addr_in(a, &ir->zones[z].ranges[r]))
				return z;
	return ir->n_zones;
}

static int count(const struct session *s, void *ctx)
{
	struct census *c = ctx;

	if (!s->ending)
		c->n[zone_of(c->ir, &s->client)][mark_lane(s->mark)]++;
	return 0;
}

static void again(void *ctx)
{
	struct census *c = ctx;

	for (uint32_t z = 0; z <= c->ir->n_zones; z++)
		for (uint32_t lane = 0; lane < LANE_COUNT; lane++)
			c->n[z][lane] = 0;
}

static void half_full(struct enforce *f, json_t *list)
{
	const struct ir *ir = &f->now->ir;
	struct census c = { ir, calloc(ir->n_zones + 1u, sizeof(*c.n)) };
	struct err e;

	if (c.n == NULL || conntrack_dump(&f->net, count, again, &c, &e) < 0) {
		free(c.n);
		return;
	}
	for (uint32_t z = 0; z < ir->n_zones; z++)
		for (uint32_t lane = 0; lane < LANE_COUNT; lane++) {
			/* Each interface of a zone has a share. */
			uint32_t most = SHARE_MOST * (ir->zones[z].n_interfaces > 0 ? ir->zones[z].n_interfaces : 1u);

			if (c.n[z][lane] >= most / 2)
				(void)json_array_append_new(
					list, json_pack("{s:s,s:s,s:o,s:I,s:I}", "zone", ir->zones[z].name, "label",
							ir->zones[z].label != NULL ? ir->zones[z].label : "", "lane",
							enforce_lane_json(lane), "sessions", (json_int_t)c.n[z][lane],
							"most", (json_int_t)most));
		}
	free(c.n);
}

json_t *enforce_tracking(struct enforce *f)
{
	json_t *list = json_array();
	uint32_t n = 0, most = 0;
	struct err e;

	if (conntrack_count(&f->net, &n, &most, &e) == 0 && f->now != NULL && n >= SHARE_MOST / 2)
		half_full(f, list);
	return json_pack("{s:I,s:I,s:i,s:o}", "sessions", (json_int_t)n, "most", (json_int_t)most, "share",
			 (int)SHARE_MOST, "shares", list);
}

json_t *enforce_limits(const struct image *have, const struct image *want)
{
	if (!image_rules_equal(have, want))
		return json_null();
	return json_pack("{s:i,s:i,s:i,s:i,s:i}", "few_per_second", (int)IR_FEW_RATE, "few_of_a_pair",
			 (int)IR_PAIR_RATE, "many_per_second", (int)IR_MANY_RATE, "sessions", (int)SHARE_MOST,
			 "sessions_of_a_pair", (int)IR_PAIR_SESSIONS);
}
