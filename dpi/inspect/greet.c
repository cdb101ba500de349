/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/inspect/greet.h"

#include <string.h>

#include "appliance/wire/tls.h"
#include "dpi/inspect/rules.h"
#include "dpi/inspect/weak.h"

#define NO_HELLO 32u /* so few bytes hold alerts, and no hello */

/* The first conduit that declares names, where none declares this one; NULL: it is declared, or nobody says what is. */
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

/* It was confirmed by its client's first bytes; `r` is what else is known. */
static struct verdict let_go(struct crossing *x, enum reason r)
{
	struct verdict v = confirm((enum protocol)x->f->protocol);

	x->f->greets = false;
	if (!x->f->named) /* also where the server went on without the end of its client's */
		greet_unnamed(x, PROTO_TLS);
	v.reason = (uint16_t)r;
	return v;
}

static MUST_SEND struct verdict end(struct crossing *x, enum reason r)
{
	x->f->greets = false;
	return end_flow(r, PROTO_TLS);
}

/* Its server has the hello that was read. Of one that it has not, the client may say another in its place, where nobody reads it. */
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
	return greet_stops(x->permit) ? end(x, R_TLS_UNREAD) : let_go(x, R_TLS_UNSEEN);
}

bool greet_begin(struct crossing *x, enum protocol p, struct bytes fresh)
{
	struct flow *f = x->f;
	uint64_t before = f->stream.dir[DIR_C2S].offset;

	/* Only from the first byte on: the few that passed before it was recognised are kept for that. */
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

/* The client has said up to which version it goes, and for whom it asks. */
static MUST_SEND struct verdict judge_client(struct crossing *x, size_t fresh)
{
	const struct hello *h = &x->f->hello;
	bool old = greet_stops(x->permit) && h->offered != 0 && h->offered < TLS_1_2;

	if (!x->f->named) {
		x->f->named = true;
		x->f->asked_at = x->f->stream.dir[DIR_C2S].next + (uint32_t)fresh;
		if (!old || crossing_is_observed(x)) /* its server hears nothing of another */
			greet_look_up(x->i, x->f, x->permit);
	}
	return old ? end(x, R_TLS_OLD_CLIENT) : go_on();
}

/* The server has chosen. */
static MUST_SEND struct verdict judge_server(struct crossing *x)
{
	const struct hello *h = &x->f->hello;
	uint32_t bits = tls_weak(h->version, h->suite);
	bool weak = bits != 0 && !tls_weak_is_lesser(bits), denied = weak && x->permit->deny_weak_tls;

	x->f->seen_tls = weak ? SEEN_TLS_WEAK : SEEN_TLS_GOOD;
	if (bits != 0)
		weak_note_tls(x, h, bits, denied ? crossing_is_observed(x) ? EV_OBSERVE : EV_DENY : EV_ALLOW);
	if (denied)
		return end(x, R_TLS_DENIED);
	return let_go(x, weak ? R_TLS_WEAK : bits != 0 ? R_TLS_LESSER : R_CONFIRMED);
}

struct verdict greet_take(struct crossing *x, struct bytes fresh)
{
	struct hello *h = &x->f->hello;

	switch (hello_take(h, x->dir, fresh)) {
	case HELLO_GOES_ON:
		return go_on();
	case HELLO_READ:
		/* What the client says behind its hello is nobody's business. */
		if (x->dir == DIR_C2S)
			return judge_client(x, fresh.left);
		return judge_server(x);
	case HELLO_ALERT: /* it declined: there is no session */
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
