/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules in force, for people and programs (docs/json.md). Cells, permits and counters are
 * decoded from a dump. Only names come from the generation, and only if the kernel's table has the
 * digest of that generation.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/enforce/effective.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/expect.h"
#include "appliance/enforce/generation.h"
#include "appliance/enforce/session.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/dump.h"
#include "policy/ir/book.h"
#include "policy/ir/ir.h"
#include "policy/ir/json.h"
#include "policy/ir/limits.h"
#include "policy/ir/sets.h"

static json_t *ports_json(uint8_t l4proto, uint16_t lo, uint16_t hi)
{
	if (l4proto != IPPROTO_ICMP && l4proto != IPPROTO_ICMPV6)
		return lo == hi ? json_sprintf("%u", lo) : json_sprintf("%u-%u", lo, hi);
	if (lo == hi)
		return json_sprintf("type %u code %u", lo >> 8, lo & 0xff);
	if (lo >> 8 == hi >> 8 && (lo & 0xff) == 0 && (hi & 0xff) == 0xff)
		return json_sprintf("type %u", lo >> 8);
	return json_sprintf("type %u code %u to type %u code %u", lo >> 8, lo & 0xff, hi >> 8, hi & 0xff);
}

/* The names of the conduits that grant something under a permit, each once. */
static json_t *conduits_of(const struct generation_held *g, uint32_t index)
{
	const struct command_permit *p = index == UINT32_MAX ? NULL : commands_permit(&g->ir.table, index + 1);
	json_t *list = json_array();

	for (uint32_t i = 0; p != NULL && i < p->n_grants; i++) {
		uint32_t c = g->ir.table.grants[p->first_grant + i].conduit;
		bool seen = c >= g->ir.n_conduits;

		for (uint32_t k = 0; k < i && !seen; k++)
			seen = g->ir.table.grants[p->first_grant + k].conduit == c;
		if (!seen)
			(void)json_array_append_new(list, json_text(g->ir.conduits[c].name));
	}
	return list;
}

/* If one asset owns the whole range: adds "destination_asset" and "destination_label". */
static void put_asset(const struct generation_held *g, json_t *to, const char *end, const struct addr_range *r)
{
	uint32_t asset = ir_book_asset(&g->book, &r->lo);
	char key[32];

	if (asset == UINT32_MAX || ir_book_asset(&g->book, &r->hi) != asset)
		return;
	snprintf(key, sizeof(key), "%s_asset", end);
	json_object_set_new(to, key, json_text(g->ir.assets[asset].name));
	snprintf(key, sizeof(key), "%s_label", end);
	json_object_set_new(to, key, json_text(g->ir.assets[asset].label));
}

static json_t *cell_json(const struct generation_held *g, unsigned set, const struct image_element *el,
			 const struct image_element *expected)
{
	struct cell_read cell = cell_read(set, el);
	uint32_t id = mark_permit(el->data), index = generation_permit(g, id);
	const struct ir_conduit *c = index == UINT32_MAX ? NULL : generation_conduit(g, index);
	const char *file =
		expected != NULL && c != NULL && c->file < g->ir.n_sources ? g->ir.sources[c->file].name : NULL;
	char transport[WORD_TEXT];
	json_t *j = json_object();

	json_object_set_new(j, "set", json_string(set_name(set)));
	json_object_set_new(j, "in", json_text(generation_interface(g, cell.iif)));
	json_object_set_new(j, "out", json_text(generation_interface(g, cell.oif)));
	json_object_set_new(j, "source", json_addr_range(&cell.src));
	json_object_set_new(j, "destination", json_addr_range(&cell.dst));
	json_object_set_new(j, "protocol", json_string(transport_text(cell.l4proto, transport)));
	json_object_set_new(j, "ports", ports_json(cell.l4proto, cell.lo, cell.hi));
	json_object_set_new(j, "permit", json_integer(id));
	json_object_set_new(j, "lane", enforce_lane_json(mark_lane(el->data)));
	json_object_set_new(j, "conduits", conduits_of(g, index));
	json_object_set_new(j, "file", json_text(file));
	json_object_set_new(j, "line", json_integer(expected != NULL ? expected->line : 0));
	json_object_set_new(j, "until", ir_until_json(el->until));
	json_object_set_new(j, "packets", json_integer((json_int_t)el->packets));
	put_asset(g, j, "source", &cell.src);
	put_asset(g, j, "destination", &cell.dst);
	return j;
}

static json_t *moment_json(uint64_t wall_ns)
{
	return wall_ns == 0 ? json_null() : json_time(wall_ns);
}

static json_t *permits_json(const struct generation_held *g, const struct image *have, const struct matched *m)
{
	json_t *list = json_array(), *made = ir_grants_made(&g->ir);

	for (uint32_t i = 0; i < g->ir.n_permits; i++) {
		const struct ir_permit *p = &g->ir.permits[i];
		uint8_t key[IMAGE_KEY] = { 0 };
		json_t *j = json_object();

		memcpy(key, &g->ids[i], 4);
		memcpy(key + 4, &g->ids[i], 4);
		json_object_set_new(j, "permit", json_integer(g->ids[i]));
		json_object_set_new(j, "live", json_boolean(image_find(have, SET_AGREE, key, key) != NULL));
		json_object_set_new(j, "mode", json_string(mode_words[p->observe]));
		json_object_set_new(j, "midstream",
				    json_string(p->midstream < words_n(midstream_words) ? midstream_words[p->midstream]
											: "unknown"));
		json_object_set_new(j, "weak_tls", json_string(weak_tls_words[p->deny_weak_tls]));
		json_object_set_new(j, "lane", enforce_lane_json(p->lane));
		json_object_set_new(j, "until", ir_until_json(p->until));
		json_object_set_new(j, "last_match", moment_json(matched_last(m, g->ids[i])));
		json_object_set_new(j, "grants", ir_grants_json(&g->ir, commands_permit(&g->ir.table, i + 1), made));
		(void)json_array_append_new(list, j);
	}
	json_decref(made);
	return list;
}

/* Adds the time of the last use, since when uses are watched, and the times since the last use that
 * nobody watched. */
static void put_use(json_t *j, const struct matched *m, const char *name)
{
	const struct msg_used_conduit *u = matched_conduit(m, name);
	uint64_t since = u == NULL ? UINT64_MAX : u->last_ns != 0 ? u->last_ns : u->since_ns;

	json_object_set_new(j, "last_match", moment_json(u != NULL ? u->last_ns : 0));
	json_object_set_new(j, "watched_since", moment_json(u != NULL ? u->since_ns : 0));
	json_object_set_new(j, "unwatched", spans_json(&m->gaps, since));
}

static json_t *conduits_json(const struct generation_held *g, const struct matched *m, const struct heard *h)
{
	const struct ir *ir = &g->ir;
	json_t *list = ir_conduits_json(ir, clock_wall_s());

	for (uint32_t i = 0; i < ir->n_conduits; i++) {
		const struct heard_conduit *w = heard_of(h, i);
		json_t *j = json_array_get(list, i);

		json_object_set_new(j, "last_heard", moment_json(w != NULL && w->heard ? w->since_wall_ns : 0));
		json_object_set_new(j, "silent_since", moment_json(w != NULL && w->silent ? w->since_wall_ns : 0));
		put_use(j, m, ir->conduits[i].name);
		/* control fills this in from the journal */
		json_object_set_new(j, "observed", json_null());
	}
	return list;
}

static json_t *table_digest(const struct generation_held *g)
{
	size_t n = 0;
	uint8_t digest[32], *image = ir_table_image(&g->ir, g->ids, &n);

	if (image == NULL)
		return json_null();
	sha256(image, n, digest);
	free(image);
	return json_hex(digest, sizeof(digest));
}

/* The limits by interface and lane, if their rules are as they should be; otherwise null. */
static json_t *limits_json(const struct image *have, const struct image *want)
{
	if (!image_rules_equal(have, want))
		return json_null();
	return json_pack("{s:i,s:i,s:i,s:i,s:i}", "few_per_second", (int)IR_FEW_RATE, "few_of_a_pair",
			 (int)IR_PAIR_RATE, "many_per_second", (int)IR_MANY_RATE, "sessions", (int)IR_ZONE_SESSIONS,
			 "sessions_of_a_pair", (int)IR_PAIR_SESSIONS);
}

json_t *enforce_effective(struct enforce *f, struct err *e)
{
	struct arena *a = arena_new(2 * DUMP_BUDGET);
	struct image have, want;
	struct expectation x;
	uint8_t digest[32];
	json_t *j = NULL, *cells;
	size_t n_cells = 0;

	if (a == NULL) {
		err_set(e, -ENOMEM, "effective rules");
		return NULL;
	}
	if (f->now == NULL) {
		err_set(e, -ENODATA, "no generation is in force");
		goto out;
	}
	telling_stage(f, PROGRESS_READS);
	if (netlink_dump(&f->kernel.net, a, &have, e) < 0)
		goto out;
	telling_stage(f, PROGRESS_COMPARES);
	if (generation_image(f, f->now, a, &want, &x, e) < 0)
		goto out;
	if (!image_digest(&have, digest) || memcmp(digest, f->now->ir.digest, sizeof(digest)) != 0) {
		err_set(e, -ESTALE, "the kernel's table does not carry the digest of the generation in force");
		goto out;
	}
	matched_note(&f->uses.matched, &have, f->now, clock_wall_ns());
	begun_looked(f, &have, false);
	cells = json_array();
	telling_stage(f, PROGRESS_LISTS);
	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		n_cells += have.elements[s].n;
	for (unsigned s = SET_UNTIL4; s < SET_CELLS_END; s++)
		for (size_t i = 0; i < have.elements[s].n; i++) {
			const struct image_element *el = &have.elements[s].list[i];

			if (stop_asked(f)) {
				json_decref(cells);
				err_set(e, -ECANCELED, "stopped");
				goto out;
			}
			telling_count(f, json_array_size(cells), n_cells);
			(void)json_array_append_new(
				cells, cell_json(f->now, s, el, image_find(&want, s, el->key, el->key_end)));
		}
	j = json_pack("{s:{s:o},s:o,s:o,s:o,s:o,s:o}", "generation", "digest", json_hex(digest, sizeof(digest)),
		      "tables_digest", table_digest(f->now), "cells", cells, "permits",
		      permits_json(f->now, &have, &f->uses.matched), "conduits",
		      conduits_json(f->now, &f->uses.matched, &f->uses.heard), "assets",
		      ir_list_json(&f->now->ir, "assets"));
	json_object_set_new(j, "zones", ir_list_json(&f->now->ir, "zones"));
	json_object_set_new(j, "organisations", ir_organisations_json(&f->now->ir));
	json_object_set_new(j, "limits", limits_json(&have, &want));
	if (j == NULL)
		err_set(e, -ENOMEM, "effective rules");
out:
	arena_free(a);
	return j;
}
