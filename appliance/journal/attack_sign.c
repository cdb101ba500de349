/* SPDX-License-Identifier: Apache-2.0 */
/* Which attack a record is a sign of, the keys of that sign, and the names of its ends. */
#include <stdio.h>
#include <string.h>

#include "appliance/journal/attack.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/vocabulary.h"

/* ---- keys ------------------------------------------------------------------------------------ */

uint64_t attack_mix(uint64_t h, const void *what, size_t n)
{
	const uint8_t *p = what;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdull;
	return h ^ h >> 33;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
	return text != NULL ? attack_mix(h, text, strlen(text) + 1) : attack_mix(h, "", 0);
}

static uint64_t mix_addr(uint64_t h, const struct addr *a)
{
	return attack_mix(attack_mix(h, &a->family, sizeof(a->family)), a->b, addr_len(a->family));
}

static uint64_t key_of(const struct attacks *a, enum attack_cause cause)
{
	uint8_t b[2] = { (uint8_t)cause, a->testing };

	return attack_mix(a->seed, b, sizeof(b));
}

/* ---- identification -------------------------------------------------------------------------- */

static const char *zone_text(const struct named_end *n)
{
	return n->zone == NULL ? "" : n->zone_label != NULL && *n->zone_label != '\0' ? n->zone_label : n->zone;
}

/* Removes the last character if the buffer had no room for all of its bytes. */
static void cut_character(char *text, size_t size)
{
	size_t n = strlen(text), at = n;

	if (n < size - 1)
		return;
	while (at > 0 && ((unsigned char)text[at - 1] & 0xc0u) == 0x80u)
		at--;
	if (at > 0 && (unsigned char)text[at - 1] >= 0xc0u) {
		unsigned char lead = (unsigned char)text[at - 1];
		size_t want = lead >= 0xf0u ? 4 : lead >= 0xe0u ? 3 : 2;

		if (n - (at - 1) < want)
			text[at - 1] = '\0';
	}
}

static void end_text(const struct addr *a, const struct named_end *n, char out[ATTACK_END])
{
	const char *label = n->asset == NULL ? "" : *n->label != '\0' ? n->label : n->asset, *zone = zone_text(n);
	char address[ADDR_TEXT] = "";
	int written;

	if (a->family != 0)
		addr_text(a, address);
	if (*label != '\0')
		written = snprintf(out, ATTACK_END, "%s (%s)", label, address);
	else if (*zone != '\0')
		written = snprintf(out, ATTACK_END, "%s (%s)", address, zone);
	else
		written = snprintf(out, ATTACK_END, "%s", address);
	if (written >= (int)ATTACK_END)
		cut_character(out, ATTACK_END);
}

static bool is_ot(const struct named_end *n)
{
	return n->zone != NULL && n->zone_class == CLASS_OT;
}

/* ---- the signs of each attack ---------------------------------------------------------------- */

/* Broadcast and multicast addresses: every machine sends to them when it starts, so sending to them
 * is no sign of a scan. */
static bool to_many(const struct addr *a)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (a->family == 4)
		return (a->b[0] & 0xf0u) == 0xe0u || memcmp(a->b, all, 4) == 0;
	return a->family != 6 || a->b[0] == 0xff;
}

static bool unset(const struct addr *a)
{
	static const uint8_t none[16];

	return a->family == 0 || memcmp(a->b, none, addr_len(a->family)) == 0;
}

/* Gives the sign the key of its two ends: one alarm for each pair. */
static void of_pair(const struct attacks *a, struct sign *s, const struct event *e, const struct named *n)
{
	uint64_t base = key_of(a, s->cause);

	s->key = mix_addr(mix_addr(base, &e->client), &e->server);
	s->zones = mix_text(mix_text(base, n->client.zone), n->server.zone);
	end_text(&e->client, &n->client, s->from);
	end_text(&e->server, &n->server, s->to);
}

static bool of_command(const struct attacks *a, const struct event *e, const struct named *n, struct sign *ret)
{
	const struct vocabulary *v = vocabulary_of((enum protocol)e->protocol);
	const struct function_info *f = v != NULL ? function_by_code(v, e->function) : NULL;

	if (e->kind != EVENT_PDU || e->verdict != EV_DENY || e->s2c != 0 || f == NULL || e->client.family == 0 ||
	    reason_kind((enum reason)e->reason) != REASON_DENY)
		return false;
	if ((f->classes & CLASS_PROGRAM) != 0)
		ret->cause = ATTACK_PROGRAM;
	else if ((f->classes & CLASS_CONTROL) != 0)
		ret->cause = ATTACK_CONTROL;
	else if ((f->classes & CLASS_WRITE) != 0)
		ret->cause = ATTACK_WRITE;
	else
		return false;
	of_pair(a, ret, e, n);
	ret->grave = is_ot(&n->server);
	return true;
}

static bool refused_connection(const struct event *e)
{
	if (e->verdict != EV_DENY || e->s2c != 0 || e->client.family == 0 || to_many(&e->server))
		return false;
	if (e->kind == EVENT_DROP)
		return e->reason == R_NO_CONDUIT || e->reason == R_SELF;
	if (e->kind == EVENT_FLOW)
		return e->reason == R_WRONG_PROTOCOL || e->reason == R_CONTRADICTED || e->reason == R_UNRECOGNISED;
	return e->kind == EVENT_PDU && reason_kind((enum reason)e->reason) == REASON_DENY;
}

static uint64_t place_of(uint64_t h, const struct event *e)
{
	h = attack_mix(mix_addr(h, &e->server), &e->l4proto, sizeof(e->l4proto));
	return attack_mix(h, &e->server_port, sizeof(e->server_port));
}

/* A refused connection as part of a scan. There is one alarm for the zone from which it comes,
 * whatever the number of its hosts and of the places that they tried. */
static void of_scan(const struct attacks *a, const struct event *e, const struct named *n, struct sign *ret)
{
	uint64_t base = key_of(a, ATTACK_SCAN);

	ret->cause = ATTACK_SCAN;
	ret->sum = true;
	ret->zones = ret->key =
		mix_text(base, n->client.zone != NULL ? n->client.zone : n->interface != NULL ? n->interface : "");
	ret->place = place_of(base, e);
	ret->grave = is_ot(&n->client) || is_ot(&n->server);
	end_text(&e->client, &n->client, ret->from);
	end_text(&e->server, &n->server, ret->to);
}

/* A refused connection as part of repeated attempts. There is one alarm for each host and each
 * place (address and port) that it tried. */
static void of_trying(const struct attacks *a, const struct event *e, const struct named *n, struct sign *ret)
{
	ret->cause = ATTACK_TRYING;
	ret->sum = false;
	of_pair(a, ret, e, n);
	ret->key = place_of(ret->key, e);
	ret->grave = is_ot(&n->server);
}

/* A forged source address. What is known of the sender is where its packets came in, so there is
 * one alarm for each interface, and the machine whose address it is stands at the other end. */
static bool of_source(const struct attacks *a, const struct event *e, const struct named *n, struct sign *ret)
{
	uint64_t base = key_of(a, ATTACK_SPOOFED);

	if (e->kind != EVENT_DROP || e->reason != R_SPOOFED || !n->elsewhere || unset(&e->client))
		return false;
	ret->cause = ATTACK_SPOOFED;
	ret->key = ret->zones = ret->host = mix_text(base, n->interface);
	ret->place = mix_addr(base, &e->client);
	ret->client = (struct addr){ 0 };
	ret->server = e->client;
	ret->sum = true;
	ret->grave = is_ot(&n->client) || n->interface_class == CLASS_OT;
	snprintf(ret->from, sizeof(ret->from), *zone_text(&n->behind) != '\0' ? "%s (%s)" : "%s",
		 n->interface != NULL ? n->interface : "", zone_text(&n->behind));
	cut_character(ret->from, sizeof(ret->from));
	end_text(&e->client, &n->client, ret->to);
	return true;
}

static bool of_login(const struct attacks *a, const struct event *e, struct sign *ret)
{
	if (e->kind != EVENT_ACCOUNT || e->code != ACCOUNT_LOCKED)
		return false;
	ret->cause = ATTACK_LOGIN;
	ret->zones = key_of(a, ATTACK_LOGIN);
	ret->key = mix_addr(mix_text(ret->zones, e->text[EVENT_OBJECT]), &e->client);
	ret->grave = true;
	if (e->client.family != 0)
		addr_text(&e->client, ret->from);
	snprintf(ret->to, sizeof(ret->to), "%.*s", (int)sizeof(ret->to) - 1, e->text[EVENT_OBJECT]);
	cut_character(ret->to, sizeof(ret->to));
	return true;
}

/* ---- questions that were never asked before -------------------------------------------------- */

static struct attack_asked *asked_find(struct attack_asked *table, size_t n, uint64_t key,
				       struct attack_asked **ret_room)
{
	struct attack_asked *set = &table[key % (n / ATTACK_ASKED_WAYS) * ATTACK_ASKED_WAYS];

	*ret_room = set;
	for (size_t i = 0; i < ATTACK_ASKED_WAYS; i++) {
		if (set[i].first != 0 && set[i].key == key)
			return &set[i];
		if (set[i].last < (*ret_room)->last)
			*ret_room = &set[i];
	}
	return NULL;
}

/* True: the key was in the table; else it is entered now. *ret_first: when it was entered. */
static bool asked_before(struct attacks *a, struct attack_asked *table, size_t n, uint64_t key, uint64_t now,
			 uint64_t *ret_first)
{
	struct attack_asked *room, *x = asked_find(table, n, key, &room);
	bool known = x != NULL;

	if (!known) {
		if (room->first != 0 && !a->testing)
			a->forgot = now;
		x = room;
		*x = (struct attack_asked){ key, now, now };
		a->stale = true;
	}
	*ret_first = x->first;
	if (x->last < now) {
		x->last = now;
		a->stale = true;
	}
	return known;
}

static bool long_enough(const struct attacks *a, uint64_t since, uint64_t now)
{
	return now >= since && now - since >= (uint64_t)a->rule.learn_days * DAY_S;
}

/*
 * Finds a request that a host makes for the first time, among requests that passed. A server is
 * identified by its asset or else by its zone, because a browser uses new addresses all the time.
 * Every request is learnt, even if it makes no sign.
 */
static bool of_fresh(struct attacks *a, const struct event *e, const struct named *n, uint64_t now, struct sign *ret)
{
	uint64_t host = not_zero(mix_addr(key_of(a, ATTACK_FRESH), &e->client)), what, first, host_first;
	bool counts = e->kind == EVENT_COUNTS && e->s2c == 0,
	     began = e->kind == EVENT_PASSED && e->code == PASSED_BEGAN, known, fresh;

	if ((!counts && !began) || e->verdict == EV_DENY || e->client.family == 0 || to_many(&e->server))
		return false;
	what = n->server.asset != NULL ? mix_text(host, n->server.asset)
				       : mix_text(attack_mix(host, "zone", 4), n->server.zone);
	what = attack_mix(what, &e->l4proto, sizeof(e->l4proto));
	what = attack_mix(what, &e->server_port, sizeof(e->server_port));
	if (counts)
		what = attack_mix(attack_mix(what, &e->protocol, sizeof(e->protocol)), &e->function,
				  sizeof(e->function));
	if (a->testing) {
		known = asked_before(a, a->tests[0], ATTACK_ASKED_WAYS, host, now, &host_first);
		fresh = !asked_before(a, a->tests[1], ATTACK_ASKED_WAYS, not_zero(what), now, &first);
	} else {
		known = asked_before(a, a->askers, ATTACK_ASKERS, host, now, &host_first);
		fresh = !asked_before(a, a->asked, ATTACK_ASKED, not_zero(what), now, &first);
	}
	if (!known || !fresh || (!a->settled && !a->testing) || !long_enough(a, host_first, now) ||
	    (a->forgot != 0 && !a->testing && !long_enough(a, a->forgot, now)))
		return false;
	ret->cause = ATTACK_FRESH;
	of_pair(a, ret, e, n);
	ret->grave = is_ot(&n->server);
	return true;
}

size_t attack_signs(struct attacks *a, const struct event *e, const struct named *n, uint64_t now,
		    struct sign ret[ATTACK_SIGNS])
{
	struct sign *s = &ret[0];

	*s = (struct sign){
		.count = e->count, .host = mix_addr(a->seed, &e->client), .client = e->client, .server = e->server
	};
	if (of_command(a, e, n, s) || of_source(a, e, n, s) || of_login(a, e, s) || of_fresh(a, e, n, now, s))
		return 1;
	if (!refused_connection(e))
		return 0;
	of_scan(a, e, n, s);
	ret[1] = *s;
	of_trying(a, e, n, &ret[1]);
	return 2;
}
