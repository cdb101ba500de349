/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an apply does to live sessions: it ends those that pass now, whose permit goes, and that nothing else will allow.
 * Those that something else allows go on under that permit; what it thinks of them, the workers know.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"
#include "policy/ir/evaluate.h"

#define TOLD_MOST 16384u /* sessions of each kind that are named; the others are counted */

struct cutting {
	const struct generation_held *now, *next;
	const struct image *have;
	json_t *list, *changed;
	json_int_t live;		   /* that pass now */
	json_int_t cut_more, changed_more; /* that are not named */
	uint64_t now_s;
	bool failed;
};

static const char *transport_name(uint8_t l4proto)
{
	switch (l4proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return "other";
	}
}

/* A session that was cut before may stand in the kernel's table for minutes more; it is not cut a second time. */
static bool passes_now(const struct cutting *c, uint32_t permit, const struct question *q)
{
	uint8_t key[IMAGE_KEY] = { 0 };

	memcpy(key, &permit, 4);
	memcpy(key + 4, &permit, 4);
	return image_find(c->have, SET_AGREE, key, key) != NULL ||
	       (c->now != NULL && evaluate_ir(&c->now->ir, q) != NULL);
}

/* "server_asset", "server_label", "server_zone": who an address is in the words of the policy. */
static void end_note(const struct generation_held *g, json_t *to, const char *end, const struct addr *a)
{
	uint32_t zone = ir_book_zone(&g->book, a), asset = ir_book_asset(&g->book, a);
	char key[24];

	if (asset != UINT32_MAX) {
		snprintf(key, sizeof(key), "%s_asset", end);
		json_object_set_new(to, key, json_text(g->ir.assets[asset].name));
		snprintf(key, sizeof(key), "%s_label", end);
		if (*g->ir.assets[asset].label != '\0')
			json_object_set_new(to, key, json_text(g->ir.assets[asset].label));
	}
	if (zone != UINT32_MAX) {
		snprintf(key, sizeof(key), "%s_zone", end);
		json_object_set_new(to, key, json_text(g->ir.zones[zone].name));
	}
}

/* As a person knows it. NULL when memory is out. */
static json_t *session_json(const struct cutting *c, const struct session *s, const struct question *q)
{
	uint32_t old = c->now != NULL ? generation_permit(c->now, mark_permit(s->mark)) : UINT32_MAX;
	bool ports = s->l4proto == IPPROTO_TCP || s->l4proto == IPPROTO_UDP;
	const struct ir_conduit *conduit = NULL;
	const struct ir_cell *cell;
	json_t *j;

	/* Labelled under an older policy and not relabelled yet: what allows it now is the name. */
	cell = old == UINT32_MAX && c->now != NULL ? evaluate_ir(&c->now->ir, q) : NULL;
	if (cell != NULL)
		old = cell->permit;
	if (old != UINT32_MAX)
		conduit = generation_conduit(c->now, old);
	j = json_pack("{s:o,s:o,s:s,s:o}", "client", json_endpoint(&s->client, ports ? s->client_port : 0), "server",
		      json_endpoint(&s->server, ports ? s->server_port : 0), "transport", transport_name(s->l4proto),
		      "conduit", json_text(conduit != NULL ? conduit->name : NULL));
	if (j != NULL) {
		end_note(c->now != NULL ? c->now : c->next, j, "client", &s->client);
		end_note(c->now != NULL ? c->now : c->next, j, "server", &s->server);
	}
	return j;
}

/* It goes on under permit `index` of the next generation: its ends, so that the workers can be asked about it. */
static bool changed_note(struct cutting *c, const struct session *s, const struct question *q, uint32_t index)
{
	json_t *entry, *ends;

	if (json_array_size(c->changed) >= TOLD_MOST) {
		c->changed_more++;
		return true;
	}
	entry = session_json(c, s, q);
	ends = json_pack("[o,i,o,i,i]", json_addr(&s->client), (int)s->client_port, json_addr(&s->server),
			 (int)s->server_port, (int)s->l4proto);

	return entry != NULL && json_object_set_new(entry, "ends", ends) == 0 &&
	       json_object_set_new(entry, "permit", json_integer(index)) == 0 &&
	       json_array_append_new(c->changed, entry) == 0;
}

static bool cut_note_end(struct cutting *c, const struct session *s, const struct question *q)
{
	json_t *entry;

	if (json_array_size(c->list) >= TOLD_MOST) {
		c->cut_more++;
		return true;
	}
	entry = session_json(c, s, q);
	return entry != NULL && json_object_set_new(entry, "reason", json_string(reason_word(R_ENDED))) == 0 &&
	       json_array_append_new(c->list, entry) == 0;
}

static int cut_note(const struct session *s, void *ctx)
{
	struct cutting *c = ctx;
	uint32_t id = mark_permit(s->mark);
	const struct ir_cell *cell;
	struct question q = {
		.source = s->client,
		.destination = s->server,
		.l4proto = s->l4proto,
		.port = s->server_port,
		.now = c->now_s,
	};

	if (s->ending || !passes_now(c, id, &q))
		return 0;
	c->live++;
	if (generation_permit(c->next, id) != UINT32_MAX || generation_lingers(c->next, id))
		return 0;
	cell = evaluate_ir(&c->next->ir, &q);
	if (!(cell == NULL ? cut_note_end(c, s, &q) : changed_note(c, s, &q, cell->permit)))
		c->failed = true;
	return 0;
}

static void cut_restart(void *ctx)
{
	struct cutting *c = ctx;

	json_array_clear(c->list);
	json_array_clear(c->changed);
	c->live = c->cut_more = c->changed_more = 0;
}

json_t *enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct err *e)
{
	struct cutting c = {
		.now = f->now,
		.next = next,
		.have = have,
		.list = json_array(),
		.changed = json_array(),
		.now_s = clock_wall_ns() / 1000000000u,
	};
	json_t *all = json_pack("{s:o,s:o}", "cut", c.list, "changed", c.changed);

	if (all == NULL) {
		err_set(e, -ENOMEM, "sessions that it cuts");
		return NULL;
	}
	if (conntrack_dump(&f->net, cut_note, cut_restart, &c, e) < 0 || c.failed ||
	    json_object_set_new(all, "live", json_integer(c.live)) < 0 ||
	    json_object_set_new(all, "cut_more", json_integer(c.cut_more)) < 0 ||
	    json_object_set_new(all, "changed_more", json_integer(c.changed_more)) < 0) {
		if (e->code == 0)
			err_set(e, -ENOMEM, "sessions that it cuts");
		json_decref(all);
		return NULL;
	}
	return all;
}
