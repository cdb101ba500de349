/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/weak.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/wire/tls.h"
#include "dpi/inspect/hour.h"
#include "dpi/inspect/rules.h"

/* ---- kinds of weakly protected sessions ----------------------------------------------------- */

/* Sessions of one kind since the last record. */
struct weak {
	/* the fields that distinguish kinds; for undeclared servers, only name and conduit do */
	struct event_generation generation; /* the generation to which these numbers belong */
	uint32_t permit, conduit, line;
	struct addr client, server; /* family 0: several hosts */
	uint16_t server_port, protocol;
	uint8_t kind;	       /* enum event_kind */
	uint8_t l4proto, code; /* enum weak_event */
	uint8_t verdict;       /* enum event_verdict */
	bool wide;	       /* the sum of a conduit */
	uint16_t offered, version, suite;
	uint32_t bits;
	/* the fields that do not distinguish kinds */
	/* the server name that all sessions asked for; "" when they differ, or asked for none */
	char name[HELLO_NAME];
	uint64_t count, since_ns;
};

struct weaks {
	struct weak kinds[WEAK_MAX];
	uint32_t n, exact[2]; /* kinds by their hosts, and undeclared servers by their names */
	/* sessions without a place, and since when; the second entry is for undeclared servers */
	struct {
		uint64_t n, since_ns;
	} more[2];
	struct hour hour;
};

struct weaks *weaks_new(void)
{
	struct weaks *all = calloc(1, sizeof(*all)); /* untouched pages cost nothing */

	if (all != NULL)
		all->hour.due_ns = HOUR_NEVER;
	return all;
}

void weaks_free(struct weaks *all)
{
	free(all);
}

/* ---- writing records ------------------------------------------------------------------------- */

static enum reason reason_of(const struct weak *w)
{
	if (w->kind == EVENT_UNDECLARED)
		return R_TLS_UNDECLARED;
	if (w->verdict != EV_ALLOW)
		return R_TLS_DENIED;
	return w->code == WEAK_TLS_LESSER ? R_TLS_LESSER : R_TLS_WEAK;
}

static void write_one(const struct inspector *i, struct weak *w)
{
	bool known = !w->wide, tls = known && w->kind == EVENT_WEAK && w->version != 0;
	struct event e = { .wall_ns = clock_wall_ns(),
			   .kind = w->kind,
			   .code = w->code,
			   .verdict = w->verdict,
			   .reason = (uint16_t)reason_of(w),
			   .permit = w->permit,
			   .generation = w->generation,
			   .conduit = w->conduit,
			   .line = w->line,
			   .client = w->client,
			   .server = w->server,
			   .server_port = w->server_port,
			   .l4proto = w->l4proto,
			   .protocol = w->protocol,
			   .space = tls					   ? WEAK_HELLO
				    : known && w->kind == EVENT_UNDECLARED ? UNDECLARED_NAME
									   : 255,
			   .address = hour_seconds(w->since_ns, i->now_ns),
			   .quantity = tls ? w->bits : 0,
			   .value = tls ? event_weak_value(w->offered, w->version, w->suite) : 0,
			   .count = w->count };

	event_say(&e, EVENT_OBJECT, w->name);
	outside_event(&i->limits.outside, &e);
	w->count = 0;
	w->since_ns = i->now_ns;
}

/* Writes the sessions that found no free place, as two sums: of weak sessions, and of servers that
 * no policy declares. A sum says only how many, and since when. */
static void write_more(const struct inspector *i, struct weaks *all)
{
	for (unsigned k = 0; k < 2; k++) {
		struct weak w = { .generation = rules_generation(i->rules, NULL),
				  .kind = k == 0 ? EVENT_WEAK : EVENT_UNDECLARED,
				  .wide = true,
				  .verdict = EV_ALLOW,
				  .conduit = EVENT_NO_CONDUIT,
				  .since_ns = all->more[k].since_ns,
				  .count = all->more[k].n };

		if (all->more[k].n > 0)
			write_one(i, &w);
		all->more[k].n = 0;
	}
}

/* Frees the place of each kind that had no session since its last record. */
static void weaks_tidy(struct weaks *all)
{
	uint32_t n = all->n;

	all->n = all->exact[0] = all->exact[1] = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (all->kinds[k].count == 0)
			continue;
		all->kinds[all->n] = all->kinds[k];
		all->exact[all->kinds[k].kind == EVENT_UNDECLARED] += !all->kinds[k].wide;
		all->n++;
	}
}

void weaks_end_hour(struct inspector *i)
{
	hour_end(&i->weaks->hour, i->weaks->n, i->now_ns);
}

void weaks_write_due(struct inspector *i)
{
	struct weaks *all = i->weaks;
	struct hour *h = &all->hour;
	unsigned written = 0;

	if (h->due_ns > i->now_ns)
		return;
	if (!h->writing) {
		/* before the sums are written, so that the next session of a kind is recorded
		 * at once */
		weaks_tidy(all);
		hour_write(h, all->n);
	}
	for (; h->at < h->end && written < HOUR_HELPING; h->at++)
		if (all->kinds[h->at].count > 0) {
			write_one(i, &all->kinds[h->at]);
			written++;
		}
	if (hour_pauses(h, i->now_ns))
		return;
	write_more(i, all);
	hour_over(h, all->n > 0, i->now_ns);
}

void weaks_write_all(struct inspector *i)
{
	struct weaks *all = i->weaks;

	for (uint32_t k = 0; k < all->n; k++)
		if (all->kinds[k].count > 0)
			write_one(i, &all->kinds[k]);
	write_more(i, all);
	all->n = all->exact[0] = all->exact[1] = 0;
	hour_over(&all->hour, false, i->now_ns);
}

uint64_t weaks_next_due(const struct weaks *all)
{
	return all->hour.due_ns;
}

/* ---- counting -------------------------------------------------------------------------------- */

static bool same_kind(const struct weak *a, const struct weak *b)
{
	if (a->kind != b->kind || a->wide != b->wide)
		return false;
	if (a->kind == EVENT_UNDECLARED)
		return a->verdict == b->verdict && a->conduit == b->conduit && strcmp(a->name, b->name) == 0 &&
		       event_generation_same(a->generation, b->generation);
	return a->code == b->code && a->verdict == b->verdict && a->conduit == b->conduit && a->line == b->line &&
	       a->permit == b->permit && a->server_port == b->server_port && a->suite == b->suite &&
	       a->version == b->version && a->offered == b->offered && a->bits == b->bits &&
	       a->protocol == b->protocol && a->l4proto == b->l4proto && addr_cmp(&a->client, &b->client) == 0 &&
	       addr_cmp(&a->server, &b->server) == 0 && event_generation_same(a->generation, b->generation);
}

/* The place of a kind; WEAK_MAX when there is none. *ret_of_conduit: how many kinds of the same
 * event its conduit has, except for its sum. */
static uint32_t weak_find(const struct weaks *all, const struct weak *w, uint32_t *ret_of_conduit)
{
	*ret_of_conduit = 0;
	for (uint32_t k = 0; k < all->n; k++) {
		if (same_kind(&all->kinds[k], w))
			return k;
		*ret_of_conduit +=
			all->kinds[k].conduit == w->conduit && all->kinds[k].kind == w->kind && !all->kinds[k].wide;
	}
	return WEAK_MAX;
}

/* Turns the kind into the sum of its conduit. */
static void make_wide(struct weak *w)
{
	w->wide = true;
	w->client = w->server = (struct addr){ 0 };
	w->server_port = w->offered = w->version = w->suite = 0;
	w->bits = 0;
	memset(w->name, 0, sizeof(w->name));
}

/* Adds a session to a kind; fields that differ are cleared. */
static void join_in(struct weak *kind, const struct weak *w)
{
	if (kind->count == 0 && !kind->wide) { /* the first session since the last record */
		kind->client = w->client;
		kind->server = w->server;
		kind->server_port = w->server_port;
	}
	if (strcmp(kind->name, w->name) != 0)
		memset(kind->name, 0, HELLO_NAME);
	if (addr_cmp(&kind->client, &w->client) != 0)
		kind->client = (struct addr){ 0 };
	if (addr_cmp(&kind->server, &w->server) != 0 || kind->server_port != w->server_port) {
		kind->server = (struct addr){ 0 };
		kind->server_port = 0;
	}
	kind->count++;
}

/* Counts one more session of this kind. */
static void weak_note(struct inspector *i, struct weak *w)
{
	struct weaks *all = i->weaks;
	uint32_t of_conduit, k = weak_find(all, w, &of_conduit);
	bool exact =
		k == WEAK_MAX && all->exact[w->kind == EVENT_UNDECLARED] < WEAK_EXACT && of_conduit < WEAK_OF_CONDUIT;

	if (k == WEAK_MAX && !exact) {
		make_wide(w);
		k = weak_find(all, w, &of_conduit);
	}
	hour_runs(&all->hour, i->now_ns);
	if (k == WEAK_MAX && all->n == WEAK_MAX) {
		unsigned m = w->kind == EVENT_UNDECLARED;

		all->more[m].since_ns = all->more[m].n == 0 ? i->now_ns : all->more[m].since_ns;
		all->more[m].n++;
		return;
	}
	if (k == WEAK_MAX) {
		all->kinds[all->n] = *w;
		all->exact[w->kind == EVENT_UNDECLARED] += exact;
		write_one(i, &all->kinds[all->n++]);
		return;
	}
	join_in(&all->kinds[k], w);
}

/* Notes weak TLS: `h` is the server's choice, and `bits` are its weaknesses (appliance/wire/tls.h);
 * `verdict`: the decision about the session. */
static void weak_note_tls(struct crossing *x, const struct hello *h, uint32_t bits, enum event_verdict verdict)
{
	const struct flow *f = x->f;
	const struct command_grant *g = grant_of(x->table, x->permit, PROTO_TLS);
	struct weak w = { .generation = rules_generation(x->i->rules, x->permit),
			  .permit = x->permit->permit,
			  .conduit = g != NULL ? g->conduit : EVENT_NO_CONDUIT,
			  .line = g != NULL ? g->line : 0,
			  .client = f->client,
			  .server = f->server,
			  .server_port = f->server_port,
			  .protocol = PROTO_TLS,
			  .l4proto = f->l4proto,
			  .kind = EVENT_WEAK,
			  .code = tls_weak_is_lesser(bits) ? WEAK_TLS_LESSER : WEAK_TLS,
			  .verdict = (uint8_t)verdict,
			  .offered = h->offered,
			  .version = h->version,
			  .suite = h->suite,
			  .bits = bits,
			  .count = 1,
			  .since_ns = x->i->now_ns };

	memcpy(w.name, h->name, sizeof(w.name));
	weak_note(x->i, &w);
}

/* Notes a session to a server that no conduit declares; `g` is the grant of the first conduit that
 * declares names. */
static void weak_note_name(struct inspector *i, const struct flow *f, const struct command_permit *permit,
			   const struct command_grant *g, enum event_verdict verdict)
{
	struct weak w = { .generation = rules_generation(i->rules, permit),
			  .permit = permit->permit,
			  .conduit = g->conduit,
			  .line = g->line,
			  .client = f->client,
			  .server = f->server,
			  .server_port = f->server_port,
			  .protocol = PROTO_TLS,
			  .l4proto = f->l4proto,
			  .kind = EVENT_UNDECLARED,
			  .verdict = (uint8_t)verdict,
			  .count = 1,
			  .since_ns = i->now_ns };

	for (size_t k = 0; f->hello.name[k] != '\0'; k++)
		w.name[k] = (char)(f->hello.name[k] >= 'A' && f->hello.name[k] <= 'Z' ? f->hello.name[k] + ('a' - 'A')
										      : f->hello.name[k]);
	weak_note(i, &w);
}

/* ---- the hellos of TLS ---------------------------------------------------------------------- */

#define NO_HELLO 32u /* in so few bytes there may be alerts, but no hello */

/* The grant of the first conduit that declares names, if none declares this name; NULL: the name is
 * declared, or there are no declarations. */
static const struct command_grant *undeclared(const struct command_table *t, const struct command_permit *permit,
					      const char *name)
{
	const struct command_grant *first = NULL;

	for (uint32_t i = 0; i < permit->n_grants; i++) {
		const struct command_grant *g = &t->grants[permit->first_grant + i];

		if (g->shadow || g->protocol != PROTO_TLS)
			continue;
		if (g->n_names == 0 || names_declare(grant_names(t, g), name))
			return NULL;
		first = first != NULL ? first : g;
	}
	return first;
}

void greet_look_up(struct inspector *i, struct flow *f, const struct command_permit *permit)
{
	const struct command_grant *g = f->named ? undeclared(rules_table(i->rules), permit, f->hello.name) : NULL;

	if (g != NULL && !f->undeclared)
		weak_note_name(i, f, permit, g, EV_ALLOW);
	f->undeclared = g != NULL;
}

void greet_unnamed(struct crossing *x, enum protocol p)
{
	struct flow *f = x->f;

	if (p != PROTO_TLS || f->l4proto != IP_TCP)
		return;
	memset(f->hello.name, 0, sizeof(f->hello.name));
	f->named = true;
	greet_look_up(x->i, f, x->permit);
}

/* Stops following the session, whose protocol was confirmed by the client's first bytes; `r`: a
 * further reason to record. */
static struct verdict let_go(struct crossing *x, enum reason r)
{
	struct verdict v = verdict_confirm((enum protocol)x->f->protocol);

	x->f->greets = false;
	if (!x->f->named) /* also if the server answered before the end of the client's hello */
		greet_unnamed(x, PROTO_TLS);
	v.reason = (uint16_t)r;
	return v;
}

static MUST_SEND struct verdict end_tls(struct crossing *x, enum reason r)
{
	x->f->greets = false;
	return end_flow(r, PROTO_TLS);
}

/* Whether the server has acknowledged the hello that was read. Otherwise the client could send
 * another one in its place, unread. */
static bool is_acknowledged(const struct crossing *x)
{
	const struct flow *f = x->f;
	uint32_t acked = f->stream.dir[DIR_C2S].acked;

	if (x->dir == DIR_S2C && (x->d.tcp_flags & TCP_ACK) != 0 && (int32_t)(x->d.ack - acked) > 0)
		acked = x->d.ack;
	return (int32_t)(acked - f->asked_at) >= 0;
}

struct verdict greet_let_go(struct crossing *x)
{
	x->f->named = x->f->named && is_acknowledged(x);
	return greet_stops(x->permit) ? end_tls(x, R_TLS_UNREAD) : let_go(x, R_TLS_UNSEEN);
}

bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh)
{
	struct flow *f = x->f;
	uint64_t before = f->stream.dir[DIR_C2S].offset;

	/* A hello is read only from the client's first byte on. The bytes that came before the
	 * recognition are in name.prefix, if they had room there. */
	if (p != PROTO_TLS || f->l4proto != IP_TCP || x->dir != DIR_C2S || f->stream.dir[DIR_S2C].offset > 0 ||
	    before > f->name.prefix_len[DIR_C2S] || fresh.left == 0)
		return false;
	memset(&f->hello, 0, sizeof(f->hello));
	hello_take(&f->hello, DIR_C2S, bytes_of(f->name.prefix[DIR_C2S], (size_t)before));
	f->greets = true;
	f->named = f->undeclared = false;
	f->protocol = (uint16_t)p;
	return true;
}

bool greet_has_to_begin(const struct crossing *x, enum protocol p)
{
	return p == PROTO_TLS && x->f->l4proto == IP_TCP && greet_stops(x->permit);
}

/* Judges the client's hello, which has its highest version and the server name. */
static MUST_SEND struct verdict judge_client(struct crossing *x, size_t fresh)
{
	const struct hello *h = &x->f->hello;
	bool old = greet_stops(x->permit) && h->offered != 0 && h->offered < TLS_1_2;

	if (!x->f->named) {
		x->f->named = true;
		x->f->asked_at = x->f->stream.dir[DIR_C2S].next + (uint32_t)fresh;
		/* If the client is too old, the server can choose no better version. So the session
		 * ends here, unless it is only observed. */
		if (!old || crossing_is_observed(x))
			greet_look_up(x->i, x->f, x->permit);
	}
	return old ? end_tls(x, R_TLS_OLD_CLIENT) : go_on();
}

/* Judges the version and the suite that the server has chosen. */
static MUST_SEND struct verdict judge_server(struct crossing *x)
{
	const struct hello *h = &x->f->hello;
	uint32_t bits = tls_weak(h->version, h->suite);
	bool weak = bits != 0 && !tls_weak_is_lesser(bits), denied = weak && x->permit->deny_weak_tls;

	x->f->seen_tls = weak ? SEEN_TLS_WEAK : SEEN_TLS_GOOD;
	if (bits != 0)
		weak_note_tls(x, h, bits, denied ? crossing_is_observed(x) ? EV_OBSERVE : EV_DENY : EV_ALLOW);
	if (denied)
		return end_tls(x, R_TLS_DENIED);
	return let_go(x, weak ? R_TLS_WEAK : bits != 0 ? R_TLS_LESSER : R_CONFIRMED);
}

struct verdict greet_take(struct crossing *x, struct bytes fresh)
{
	struct hello *h = &x->f->hello;

	switch (hello_take(h, x->dir, fresh)) {
	case HELLO_GOES_ON:
		return go_on();
	case HELLO_READ:
		/* Bytes of the client after its hello are not read. */
		if (x->dir == DIR_C2S)
			return judge_client(x, fresh.left);
		return judge_server(x);
	case HELLO_ALERT: /* the server declined: there is no session */
		if (!greet_stops(x->permit))
			return let_go(x, R_CONFIRMED);
		if (x->f->stream.dir[DIR_S2C].offset + fresh.left <= NO_HELLO)
			return go_on();
		break;
	case HELLO_BAD:
		break;
	}
	return greet_let_go(x);
}

bool greet_ends(const struct flow *f, const struct command_permit *permit)
{
	return greet_stops(permit) && f->protocol == PROTO_TLS && f->l4proto == IP_TCP &&
	       (f->kind == KIND_NAMED || f->kind == KIND_FREE) && f->seen_tls != SEEN_TLS_GOOD;
}
