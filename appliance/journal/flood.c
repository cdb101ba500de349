/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a flood of events from filling the disk: first equal events become one record
 * (merging), then each host, interface and role has a share of records, and what is above it is
 * summed up.
 */
#include <string.h>

#include "appliance/journal/merge.h"
#include "appliance/journal/share.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

struct rate {
	uint32_t burst, a_second_milli;
};

/* Classes of events that have separate shares for each host and interface: one for each verdict,
 * and one for passed sessions. */
enum { SHARE_CLASS_PASSED = EVENT_VERDICT_COUNT, SHARE_CLASSES };

/* Shares of a host: a burst of records, then records a second in thousandths. The burst lets a
 * person who investigates see single records. */
static const struct rate of_host[SHARE_CLASSES] = {
	[EV_ALLOW] = { 50, 1000 },
	[EV_DENY] = { 50, 500 },
	[EV_OBSERVE] = { 200, 5000 },
	[SHARE_CLASS_PASSED] = { 200, 5000 },
};
static const struct rate of_place[SHARE_CLASSES] = {
	[EV_ALLOW] = { 500, 5000 },
	[EV_DENY] = { 300, 2000 },
	[EV_OBSERVE] = { 2000, 20000 },
	[SHARE_CLASS_PASSED] = { 2000, 20000 },
};

/* Shares of a role. The one for counts is enough for eight workers that each fill their table three
 * times an hour (dpi/inspect/count.h). */
static const struct rate of_role[SHARE_PACES] = {
	[SHARE_TRAFFIC] = { 20000, 100000 },
	[SHARE_PASSED] = { 20000, 100000 },
	[SHARE_COUNTS] = { 50000, 14000 },
	[SHARE_LOST] = { 300, 2000 },
};

/* Whether hosts can cause the event, so that the shares of hosts and interfaces apply. */
static bool by_peers(const struct event *e)
{
	return e->kind == EVENT_DROP || e->kind == EVENT_PDU || e->kind == EVENT_FLOW || e->kind == EVENT_LOGIN ||
	       (e->kind == EVENT_PASSED && e->code != PASSED_MISSED) ||
	       (e->kind == EVENT_ACCOUNT && (e->code == ACCOUNT_REFUSED || e->code == ACCOUNT_LOCKED ||
					     e->code == ACCOUNT_FORBIDDEN || e->code == ACCOUNT_ANOTHER_TIME));
}

/* The role's share that applies; SHARE_PACES = none, because administrators of the box cause the
 * event. */
static enum share_pace pace_of(const struct event *e)
{
	switch ((enum event_kind)e->kind) {
	case EVENT_DROP:
	case EVENT_PDU:
	case EVENT_FLOW:
	case EVENT_LOGIN:
	case EVENT_DECIDED:
		return SHARE_TRAFFIC;
	case EVENT_ACCOUNT:
		return by_peers(e) ? SHARE_TRAFFIC : SHARE_PACES;
	case EVENT_PASSED:
		return SHARE_PASSED;
	case EVENT_COUNTS:
	case EVENT_WEAK:
	case EVENT_UNDECLARED:
		return SHARE_COUNTS;
	case EVENT_LOST:
		return SHARE_LOST;
	case EVENT_ROLE:
	case EVENT_POLICY:
	case EVENT_DRIFT:
	case EVENT_MACHINE:
	case EVENT_ACCESS:
	case EVENT_SILENCE:
	case EVENT_ATTACK:
	case EVENT_DEVICE: /* role_device.c limits the records of new devices */
	case EVENT_NONE:
	case EVENT_KIND_COUNT:
		break;
	}
	return SHARE_PACES;
}

static uint32_t hash_mix(uint32_t h, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

/* Passed sessions have a share of their own, so that they leave room for the same host's other
 * events. */
static uint8_t class_of(const struct event *e)
{
	return e->kind == EVENT_PASSED ? SHARE_CLASS_PASSED : e->verdict;
}

static struct share_bucket *bucket(struct shares *s, uint32_t h, const struct event *e)
{
	uint8_t class = class_of(e);

	h = hash_mix(h, &class, 1);
	return &s->buckets[(h ^ h >> 13) % SHARE_BUCKETS];
}

static struct share_bucket *host_bucket(struct shares *s, const struct event *e)
{
	return bucket(s, hash_mix(2166136261u, e->client.b, sizeof(e->client.b)), e);
}

/* The share of the interface. If the interface is not known: the share of the client's network, /24
 * or /64. */
static struct share_bucket *place_bucket(struct shares *s, const struct event *e)
{
	uint8_t iif[4] = { (uint8_t)e->iif, (uint8_t)(e->iif >> 8), (uint8_t)(e->iif >> 16), (uint8_t)(e->iif >> 24) };

	if (e->iif != 0)
		return bucket(s, hash_mix(0x9747b28cu, iif, sizeof(iif)), e);
	return bucket(s, hash_mix(0x85ebca6bu, e->client.b, e->client.family == 4 ? 3 : 8), e);
}

static bool has_token(struct share_bucket *b, const struct rate *r, uint64_t now_ns)
{
	uint64_t passed_ms = now_ns > b->filled_ns ? (now_ns - b->filled_ns) / 1000000u : 0;
	uint64_t more = passed_ms * r->a_second_milli / 1000u;

	if (more >= b->milli) {
		b->milli = 0;
		b->filled_ns = now_ns;
	} else if (more > 0) {
		b->milli -= (uint32_t)more;
		b->filled_ns = now_ns;
	}
	return b->milli + 1000u <= r->burst * 1000u;
}

static bool within_shares(struct shares *s, const struct event *e, uint64_t now_ns)
{
	struct share_bucket *host = host_bucket(s, e), *place = place_bucket(s, e);

	if (!has_token(host, &of_host[class_of(e)], now_ns) || !has_token(place, &of_place[class_of(e)], now_ns))
		return false;
	host->milli += 1000u;
	place->milli += 1000u;
	return true;
}

static bool same_sum(const struct share_sum *s, const struct event *e, enum role from)
{
	const struct event *o = &s->event;

	return s->from == from && o->kind == e->kind && o->verdict == e->verdict && o->reason == e->reason &&
	       o->iif == e->iif && event_generation_same(o->generation, e->generation) &&
	       ((e->kind != EVENT_PASSED && e->kind != EVENT_WEAK) || o->code == e->code);
}

/*
 * The sum to which the event is added: one that it fits, or a new one, which counts against the
 * role's share, or the last one if all sums are in use. If the role's share is used up (`more`
 * NULL), or if hosts cannot cause such an event: the sum for all events of the role and kind.
 */
static struct share_sum *sum_of(struct shares *s, const struct event *e, enum role from, struct share_bucket *more)
{
	struct share_sum *free = NULL;

	for (size_t i = 0; i < SHARE_SUMS && by_peers(e); i++) {
		if (s->sums[i].records != 0 && same_sum(&s->sums[i], e, from))
			return &s->sums[i];
		if (s->sums[i].records == 0 && free == NULL)
			free = &s->sums[i];
	}
	if (more == NULL || !by_peers(e))
		return &s->rest[from][e->kind];
	if (free == NULL)
		return &s->sums[SHARE_SUMS - 1];
	more->milli += 1000u;
	return free;
}

static void join_ends(struct event *o, const struct event *e)
{
	if (addr_cmp(&o->client, &e->client) != 0)
		o->client = (struct addr){ 0 };
	if (addr_cmp(&o->server, &e->server) != 0)
		o->server = (struct addr){ 0 };
	if (o->server_port != e->server_port)
		o->server_port = 0;
	if (o->l4proto != e->l4proto) {
		o->l4proto = 0;
		o->server_port = 0;
	}
	if (o->s2c != e->s2c)
		o->s2c = 0;
	if (o->iif != e->iif)
		o->iif = 0;
}

static void join_command(struct event *o, const struct event *e)
{
	if (o->protocol != e->protocol || o->function != e->function ||
	    memcmp(o->targets, e->targets, sizeof(o->targets)) != 0) {
		o->protocol = PROTO_NONE;
		o->function = 0;
		memset(o->targets, 0, sizeof(o->targets));
	}
	if (o->space != e->space || o->address != e->address || o->quantity != e->quantity) {
		o->space = 255;
		o->address = o->quantity = 0;
	}
	if (o->kind == EVENT_COUNTS || o->limit.at != e->limit.at || o->limit.wrote != e->limit.wrote ||
	    o->limit.what != e->limit.what)
		o->limit = (struct limit){ .what = LIMIT_NONE };
	if (o->code != e->code)
		o->code = 0;
}

/* The same session may be in both counts, so the number of sessions of the joined event is
 * unknown. */
static void join_value(struct event *o, const struct event *e)
{
	uint64_t seconds = (o->value > e->value ? o->value : e->value) >> 32;

	if (o->kind == EVENT_COUNTS)
		o->value = event_counts_value(0, seconds);
	else if (o->value != e->value)
		o->value = UINT64_MAX;
}

/* Adds bytes and packets of sessions, as long as both events have them. */
static void join_passed(struct event *o, const struct event *e)
{
	if (o->code != e->code)
		o->code = PASSED_NOTHING;
	if (o->space == PASSED_COUNTED && e->space == PASSED_COUNTED && o->address <= UINT64_MAX - e->address &&
	    o->value <= UINT64_MAX - e->value && o->quantity <= UINT32_MAX - e->quantity) {
		o->address += e->address;
		o->value += e->value;
		o->quantity += e->quantity;
		return;
	}
	o->space = 255;
	o->address = o->value = o->quantity = 0;
}

/* Leaves out all that was read from the hellos, even where both events have the same values: these
 * may come from hellos for servers with different names. */
static void join_weak(struct event *o, const struct event *e)
{
	if (o->code != e->code)
		o->code = WEAK_NOTHING;
	o->space = 255;
	o->value = o->quantity = 0;
	o->address = o->address > e->address ? o->address : e->address;
	memset(o->text, 0, sizeof(o->text));
	if (o->kind == EVENT_UNDECLARED) /* other servers may have joined: none is named */
		o->client = o->server = (struct addr){ 0 };
}

/* Joins event e to event o: adds the counts and takes the time of `e`. What differs is left out,
 * but different verdicts become EV_DENY. */
static void join_events(struct event *o, const struct event *e)
{
	join_ends(o, e);
	if (e->kind == EVENT_PASSED) {
		join_passed(o, e);
	} else if (e->kind == EVENT_WEAK || e->kind == EVENT_UNDECLARED) {
		join_weak(o, e);
	} else {
		join_command(o, e);
		join_value(o, e);
	}
	if (!event_generation_same(o->generation, e->generation)) {
		o->generation = (struct event_generation){ 0 };
		o->conduit = EVENT_NO_CONDUIT;
		o->permit = o->line = 0;
	}
	if (o->conduit != e->conduit || o->permit != e->permit) {
		o->conduit = EVENT_NO_CONDUIT;
		o->permit = o->line = 0;
	}
	if (o->row.file != e->row.file || o->row.line != e->row.line)
		o->row = (struct place){ 0 };
	if (o->reason != e->reason)
		o->reason = R_NONE;
	if (o->verdict != e->verdict)
		o->verdict = EV_DENY;
	o->count += e->count;
	o->wall_ns = e->wall_ns;
	o->said_ns = e->said_ns;
}

bool share_in(struct shares *s, const struct event *e, enum role from, uint64_t now_ns)
{
	enum share_pace pace = pace_of(e);
	struct share_bucket *role;
	struct share_sum *sum;

	if (pace == SHARE_PACES)
		return true;
	role = &s->roles[from][pace];
	if (!has_token(role, &of_role[pace], now_ns))
		role = NULL;
	if (role != NULL && (!by_peers(e) || within_shares(s, e, now_ns))) {
		role->milli += 1000u;
		return true;
	}
	s->summed++;
	sum = sum_of(s, e, from, role);
	if (sum->records++ > 0) {
		join_events(&sum->event, e);
		return false;
	}
	sum->event = *e;
	sum->event.client_port = 0;
	sum->from = from;
	sum->since_ns = now_ns;
	return false;
}

static bool is_due(const struct share_sum *s, uint64_t now_ns, bool all)
{
	return s->records != 0 && (all || now_ns - s->since_ns >= SHARE_SUM_NS);
}

static struct share_sum *next_due(struct shares *s, uint64_t now_ns, bool all)
{
	for (size_t i = 0; i < SHARE_SUMS; i++)
		if (is_due(&s->sums[i], now_ns, all))
			return &s->sums[i];
	for (size_t i = 0; i < ROLE_COUNT * EVENT_KIND_COUNT; i++)
		if (is_due(&s->rest[i / EVENT_KIND_COUNT][i % EVENT_KIND_COUNT], now_ns, all))
			return &s->rest[i / EVENT_KIND_COUNT][i % EVENT_KIND_COUNT];
	return NULL;
}

bool share_out(struct shares *s, uint64_t now_ns, bool all, struct event *ret, enum role *ret_from,
	       uint64_t *ret_records)
{
	struct share_sum *sum = next_due(s, now_ns, all);

	if (sum == NULL)
		return false;
	*ret = sum->event;
	*ret_from = sum->from;
	*ret_records = sum->records;
	sum->records = 0;
	return true;
}

static void keep_earlier(uint64_t *due, const struct share_sum *s)
{
	if (s->records != 0 && s->since_ns + SHARE_SUM_NS < *due)
		*due = s->since_ns + SHARE_SUM_NS;
}

uint64_t share_due(const struct shares *s)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < SHARE_SUMS; i++)
		keep_earlier(&due, &s->sums[i]);
	for (size_t i = 0; i < ROLE_COUNT * EVENT_KIND_COUNT; i++)
		keep_earlier(&due, &s->rest[i / EVENT_KIND_COUNT][i % EVENT_KIND_COUNT]);
	return due;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* Records that pass one by one before merging begins. Few of drops, because the kernel reports only
 * some of them. */
#define BURST_DROP 1u
#define BURST_OTHER 16u /* more, because a person who investigates wants to see single refusals */

static bool mergeable(const struct event *e)
{
	return e->kind == EVENT_DROP || e->kind == EVENT_PDU || e->kind == EVENT_FLOW || e->kind == EVENT_LOGIN;
}

/* Whether two records may be merged: everything but time, client port, count and texts is
 * equal. */
static bool same_record(const struct merge_slot *s, const struct event *e, enum role from)
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

static uint32_t event_hash(const struct event *e)
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
	s = &m->slots[event_hash(e)];
	if (same_record(s, e, from) && now_ns - s->since_ns < MERGE_WINDOW_NS) {
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
	/* The slot holds another event, or its window is over. If records were held back there,
	 * their sum is written now, and the new event is held back instead: one record goes out for
	 * each that comes in. */
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
	for (struct merge_slot *s = m->slots; s < m->slots + MERGE_SLOTS; s++) {
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
