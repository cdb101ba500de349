/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/journal/role_private.h"

#include <string.h>

/* records that pass one by one: few, because the kernel reports only a sample */
#define BURST_DROP 1u
#define BURST_OTHER 16u /* more, because a person who investigates wants to see single refusals */

static bool mergeable(const struct event *e)
{
	return e->kind == EVENT_DROP || e->kind == EVENT_PDU || e->kind == EVENT_FLOW || e->kind == EVENT_LOGIN;
}

/* Whether everything by which records are merged is equal: not time, client port, count and
 * texts. */
static bool same(const struct merge_slot *s, const struct event *e, enum role from)
{
	const struct event *o = &s->event;

	return s->used && s->from == from && o->kind == e->kind && o->verdict == e->verdict && o->reason == e->reason &&
	       o->permit == e->permit && o->conduit == e->conduit && o->line == e->line &&
	       o->server_port == e->server_port && o->l4proto == e->l4proto && o->s2c == e->s2c &&
	       o->protocol == e->protocol && o->iif == e->iif &&
	       memcmp(o->targets, e->targets, sizeof(o->targets)) == 0 && o->function == e->function &&
	       o->space == e->space && o->address == e->address && o->quantity == e->quantity &&
	       event_generation_same(o->generation, e->generation) && o->limit.what == e->limit.what &&
	       o->limit.at == e->limit.at && o->limit.wrote == e->limit.wrote &&
	       addr_cmp(&o->client, &e->client) == 0 && addr_cmp(&o->server, &e->server) == 0;
}

static uint32_t hash(const struct event *e)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < 16; i++) {
		h = (h ^ e->client.b[i]) * 16777619u;
		h = (h ^ e->server.b[i]) * 16777619u;
	}
	h = (h ^ e->reason) * 16777619u;
	h = (h ^ e->server_port) * 16777619u;
	h = (h ^ (uint32_t)e->address) * 16777619u;
	return (h ^ h >> 15) % MERGE_SLOTS;
}

bool merge_in(struct merge *m, const struct event *e, enum role from, uint64_t now_ns, struct event *ret,
	      enum role *ret_from)
{
	struct merge_slot *s;
	bool write;

	*ret = *e;
	*ret_from = from;
	if (!mergeable(e))
		return true;
	s = &m->slots[hash(e)];
	if (same(s, e, from) && now_ns - s->since_ns < MERGE_WINDOW_NS) {
		if (s->passed < (e->kind == EVENT_DROP ? BURST_DROP : BURST_OTHER)) {
			s->passed++;
			return true;
		}
		if (s->event.count > 0)
			m->merged++;
		s->event.count += e->count;
		s->event.wall_ns = e->wall_ns;
		s->event.said_ns = e->said_ns;
		s->event.client_port = e->client_port;
		return false;
	}
	/* The slot holds another event, or its window is over. If it has a sum, this is written now
	 * and the new event is held back: one record goes out for each that comes in. */
	write = s->used && s->event.count > 0;
	if (write) {
		*ret = s->event;
		*ret_from = s->from;
	}
	*s = (struct merge_slot){
		.used = true, .from = from, .event = *e, .since_ns = now_ns, .passed = write ? 0 : 1
	};
	if (!write)
		s->event.count = 0;
	return true;
}

bool merge_out(struct merge *m, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from)
{
	for (size_t i = 0; i < MERGE_SLOTS; i++) {
		struct merge_slot *s = &m->slots[i];

		if (!s->used || (!all && now_ns - s->since_ns < MERGE_WINDOW_NS))
			continue;
		if (s->event.count == 0) {
			s->used = false;
			continue;
		}
		*ret = s->event;
		*ret_from = s->from;
		s->event.count = 0;
		s->since_ns = now_ns; /* so a lasting flood makes one record a second */
		s->passed = BURST_OTHER;
		return true;
	}
	return false;
}

uint64_t merge_due(const struct merge *m)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < MERGE_SLOTS; i++)
		if (m->slots[i].used && m->slots[i].event.count > 0 && m->slots[i].since_ns + MERGE_WINDOW_NS < due)
			due = m->slots[i].since_ns + MERGE_WINDOW_NS;
	return due;
}
