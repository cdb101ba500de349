/* SPDX-License-Identifier: Apache-2.0 */
/* Which live sessions an apply ends: those that pass now, whose permit goes, and that nothing else will allow. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/enforce.h"
#include "appliance/kernel/conntrack.h"
#include "policy/ir/evaluate.h"

struct cutting {
	const struct generation_held *now, *next;
	const struct image *have;
	json_t *list;
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

static int cut_note(const struct session *s, void *ctx)
{
	struct cutting *c = ctx;
	uint32_t id = mark_permit(s->mark), old;
	const struct ir_conduit *conduit = NULL;
	const struct ir_cell *cell;
	struct question q = {
		.source = s->client,
		.destination = s->server,
		.l4proto = s->l4proto,
		.port = s->server_port,
		.now = c->now_s,
	};
	json_t *entry;
	bool ports;

	if (s->ending || generation_permit(c->next, id) != UINT32_MAX || generation_lingers(c->next, id) ||
	    evaluate_ir(&c->next->ir, &q) != NULL || !passes_now(c, id, &q))
		return 0;
	old = c->now != NULL ? generation_permit(c->now, id) : UINT32_MAX;
	/* Labelled under an older policy and not relabelled yet: what allows it now is the name. */
	cell = old == UINT32_MAX && c->now != NULL ? evaluate_ir(&c->now->ir, &q) : NULL;
	if (cell != NULL)
		old = cell->permit;
	if (old != UINT32_MAX)
		conduit = generation_conduit(c->now, old);
	ports = s->l4proto == IPPROTO_TCP || s->l4proto == IPPROTO_UDP;
	entry = json_pack("{s:o,s:o,s:s,s:o,s:s}", "client", json_endpoint(&s->client, ports ? s->client_port : 0),
			  "server", json_endpoint(&s->server, ports ? s->server_port : 0), "transport",
			  transport_name(s->l4proto), "conduit", json_text(conduit != NULL ? conduit->name : NULL),
			  "reason", reason_word(R_ENDED));
	if (entry == NULL || json_array_append_new(c->list, entry) < 0)
		c->failed = true;
	return 0;
}

static void cut_restart(void *ctx)
{
	struct cutting *c = ctx;

	json_array_clear(c->list);
}

json_t *enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct err *e)
{
	struct cutting c = {
		.now = f->now,
		.next = next,
		.have = have,
		.list = json_array(),
		.now_s = clock_wall_ns() / 1000000000u,
	};

	if (c.list == NULL) {
		err_set(e, -ENOMEM, "sessions that it cuts");
		return NULL;
	}
	if (conntrack_dump(&f->net, cut_note, cut_restart, &c, e) < 0 || c.failed) {
		if (c.failed)
			err_set(e, -ENOMEM, "sessions that it cuts");
		json_decref(c.list);
		return NULL;
	}
	return c.list;
}
