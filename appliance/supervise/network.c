/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restores addresses, links and routes that another program changed. The kernel reports every
 * change. When no report came for a moment and no operation runs, everything is compared with
 * box.cfg and set again. Reports of this program's own changes cause a comparison without result.
 *
 * At the same time, and also at intervals because the kernel does not report everything, this looks
 * for rules and programs of others that can affect the box's packets. They are recorded when they
 * appear and disappear, but left alone.
 *
 * When a link has come up again or has another hardware address, the addresses for which the box
 * answers on it are announced to its hosts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/box/announce.h"
#include "appliance/box/box.h"
#include "appliance/box/outside.h"
#include "appliance/box/rtnl.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/kept.h"
#include "appliance/supervise/network.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/supervise.h"

/* ns to wait after a report, because one change causes several */
#define SETTLES 100000000ull
/* ns between two looks, because changes by legacy iptables and tcx are not reported */
#define OUTSIDE_EVERY 30000000000ull
/* bytes of a line on standard error, which may be longer than a record */
#define LINE_BYTES 900u
#define MORE_BYTES 24u	 /* for "; +18446744073709551615" and the NUL */
#define FOUND_MOST 4096u /* differences of one comparison that are remembered */

/* ns after a link came up: a switch may forward nothing for one second, or for thirty while it
 * looks for loops (IEEE 802.1D) */
static const uint64_t say_after[] = { 0, 2000000000ull, 40000000000ull };
#define SAY_TIMES (sizeof(say_after) / sizeof(say_after[0]))

struct link {
	bool up;
	uint32_t changes; /* how often its link and the link of its card had come up or gone down */
	uint32_t index;	  /* number of the device; it changes when the device is made anew */
	uint8_t mac[32], n_mac;
};

struct network {
	uint64_t look;		/* monotonic ns: when to compare with box.cfg; 0 = no report came */
	uint64_t drifts;	/* how often something had to be set right */
	uint64_t drift_wall_ns; /* wall ns: the last time */
	json_t *seen;		/* result of the last comparison; owned, NULL = no difference */
	uint64_t outside_at;	/* monotonic ns: when to look for rules and programs beside ours */
	json_t *outside;	/* what that look found; owned */
	uint64_t links_of;	/* the generation that `links` belongs to */
	struct link *links;	/* the generation's interfaces at the last look; owned */
	/* say_at: monotonic ns of the next announcement, 0 = none; said: how many were made;
	 * say_first: when the first was */
	uint64_t say_at;
	uint64_t say_first;
	unsigned said;
};

/*
 * The differences of one comparison: a set of texts, each a member of an object, in the order in
 * which they were found. NULL when memory is out, which counts as an empty set. Only texts that the
 * comparison before did not find are reported.
 */

static void found_note(json_t *set, const char *where, const char *what, const char *detail)
{
	char text[300];
	json_t *key;

	snprintf(text, sizeof(text), "%s%s%s: %s", where, *what != '\0' ? " " : "", what, detail);
	key = json_text(text); /* the text in the form that a member's name can have */
	if (key != NULL && json_object_size(set) < FOUND_MOST)
		(void)json_object_set_new(set, json_string_value(key), json_true());
	json_decref(key);
}

/*
 * Writes the texts of `set` that are not in `before`, "a; b; +3": as many as fit in `out`, the
 * first one cut if it is too long, and the number of further ones. `size` is more than 64. Returns
 * the number of all texts that are not in `before`.
 */
static size_t found_news(json_t *set, const json_t *before, char *out, size_t size)
{
	size_t n = 0, left = 0, at = 0, room = size - MORE_BYTES;
	const char *text;
	json_t *any;

	out[0] = '\0';
	json_object_foreach(set, text, any) {
		if (json_object_get(before, text) != NULL)
			continue;
		/* The first text is written in any case, cut if it is too long. */
		if (n++ == 0 || at + strlen("; ") + strlen(text) < room)
			at += (size_t)snprintf(out + at, room - at, "%s%s", at > 0 ? "; " : "", text);
		else
			left++;
		if (at >= room)
			at = room - 1;
	}
	if (left > 0)
		snprintf(out + at, size - at, "; +%zu", left);
	return n;
}

/* Whether the device is missing because a person released it, which is no drift. */
static bool released(const struct supervisor *s, const char *device)
{
	for (uint32_t i = 0; i < s->gens.now->ir->n_interfaces; i++)
		if (strcmp(s->gens.now->ir->interfaces[i].device, device) == 0)
			return kept_left_alone(s, ir_card(&s->gens.now->ir->interfaces[i]));
	return false;
}

struct comparing {
	const struct supervisor *s;
	json_t *found, *gone; /* differences, and devices that are not there; owned */
	struct err *lack;     /* the first device that is not there */
};

static void note_difference(void *ctx, const char *where, const char *what, const char *detail)
{
	const struct comparing *c = ctx;

	if (strcmp(what, "gone") != 0)
		found_note(c->found, where, what, detail);
	else if (!released(c->s, detail))
		found_note(c->gone, where, "", detail);
}

static void note_missing(void *ctx, const char *where, const char *what, const char *detail)
{
	struct comparing *c = ctx;

	if (strcmp(what, "gone") == 0 && !released(c->s, detail) && c->lack->code == 0)
		err_set(c->lack, -ENODEV, "%s (%s)", where, detail);
}

int network_set(const struct supervisor *s, struct err *e)
{
	struct err lack = { 0 };
	struct comparing c = { .s = s, .lack = &lack };
	int r = box_compare(&s->ground.spaces, s->gens.now->ir, true, note_missing, &c, e);

	if (r == 0 && lack.code != 0)
		*e = lack;
	return r < 0 ? r : lack.code;
}

int network_open(struct supervisor *s, struct err *e)
{
	int spaces[] = { s->ground.spaces.data, s->ground.spaces.admin };

	s->network = calloc(1, sizeof(*s->network));
	if (s->network == NULL)
		return err_set(e, -ENOMEM, "watch over the network");
	/* Rules: reports about the VLAN gate and the ARP limit. Reports about other rules are for
	 * enforce, and cause a comparison without result here. */
	for (unsigned i = 0; i < NETWORKS; i++) {
		s->network_fd[i] = i < NETWORK_RULES
					   ? rtnl_monitor_open(spaces[i], s->ground.spaces.home, true, e)
					   : rtnl_rules_open(spaces[i - NETWORK_RULES], s->ground.spaces.home, e);
		if (s->network_fd[i] < 0)
			return s->network_fd[i];
	}
	return 0;
}

void network_heard(struct supervisor *s, int fd)
{
	bool lost;

	if (!rtnl_monitor(fd, NULL, NULL, &lost) ||
	    (fd == s->network_fd[NETWORK_RULES] && s->gens.now->ir->n_interfaces == 0))
		return;
	/* Without its rules the admin namespace is open, so a change there is compared at once. */
	s->network->look = mono_ns() + (fd == s->network_fd[NETWORK_EGRESS] ? 1 : SETTLES);
}

static uint64_t next_look(const struct network *n)
{
	uint64_t next = n->look != 0 && n->look < n->outside_at ? n->look : n->outside_at;

	return n->say_at != 0 && n->say_at < next ? n->say_at : next;
}

uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns)
{
	*ret_wall_ns = s->network->drift_wall_ns;
	return s->network->drifts;
}

/* Records what `found` has and `before` does not have. True: there was something. */
static bool report(struct supervisor *s, enum drift what, json_t *found, const json_t *before, uint64_t *ret_wall_ns)
{
	static const enum message lines[] = {
		[DRIFT_NETWORK] = M_DRIFT_NETWORK,
		[DRIFT_UNMENDED] = M_DRIFT_UNMENDED,
		[DRIFT_OUTSIDE] = M_DRIFT_OUTSIDE,
		[DRIFT_GONE] = M_DRIFT_GONE,
	};
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	char text[EVENT_TEXT], line[LINE_BYTES];

	if (found_news(found, before, text, sizeof(text)) == 0)
		return false;
	ev.verdict = EV_DENY;
	ev.code = (uint8_t)what;
	event_say(&ev, EVENT_OBJECT, text);
	event_send(&s->ground.events, &ev);
	*ret_wall_ns = ev.wall_ns;
	(void)found_news(found, before, line, sizeof(line));
	if (what != DRIFT_OUTSIDE_GONE)
		supervisor_say(s, lines[what], line);
	return true;
}

static void outside_note(void *ctx, const char *where, const char *what, const char *detail)
{
	found_note(ctx, where, "", detail);
}

/* Records what outside_look finds now and did not find before, and the reverse. Without a policy
 * the box has no interfaces, so there is nothing to find. */
static void outside_due(struct supervisor *s, uint64_t now)
{
	struct network *n = s->network;
	json_t *found = json_object();
	struct err e = { 0 };
	uint64_t at;

	n->outside_at = now + OUTSIDE_EVERY;
	if (s->gens.now->number > 0 && outside_look(&s->ground.spaces, s->gens.now->ir, outside_note, found, &e) == 0) {
		(void)report(s, DRIFT_OUTSIDE, found, n->outside, &at);
		(void)report(s, DRIFT_OUTSIDE_GONE, n->outside, found, &at);
		json_decref(n->outside);
		n->outside = json_incref(found);
	}
	json_decref(found);
}

struct telling {
	struct supervisor *s;
	uint32_t at;
	bool say, came;
};

/* Whether the box announces anything on this interface: its own addresses, and hosts for which it
 * answers there. */
static bool announces(const struct ir_interface *i)
{
	return i->n_addresses > 0 || i->n_answers > 0;
}

static bool is_same(const struct link *a, const struct link *b)
{
	return a->changes == b->changes && a->index == b->index && a->n_mac == b->n_mac &&
	       memcmp(a->mac, b->mac, a->n_mac) == 0;
}

static void tell_hosts(void *ctx, const struct ir_interface *i, const struct device *d, const struct device *card,
		       const char *addresses)
{
	struct telling *t = ctx;
	struct link *was = &t->s->network->links[t->at++];
	struct link now = { .up = d != NULL && d->up && d->carrier };
	bool up = now.up;

	if (d != NULL) {
		now.index = d->index;
		now.changes = d->changes + (card != NULL ? card->changes : 0);
		now.n_mac = d->n_mac;
		memcpy(now.mac, d->mac, sizeof(now.mac));
	}
	/*
	 * A link that went down and came up between two looks may be connected to another switch,
	 * so it counts as having been down. Hosts also have to learn a new hardware address, for
	 * example after a bond changed its card.
	 */
	t->came |= up && (!was->up || !is_same(was, &now)) && announces(i);
	*was = now;
	/* A failure does not matter: hosts will ask for the address. */
	if (t->say && up && announces(i))
		(void)box_announce(&t->s->ground.spaces, t->s->gens.now->ir, i, d, NULL);
}

static void announce_due(struct supervisor *s, uint64_t now)
{
	struct network *n = s->network;
	const struct ir *ir = s->gens.now->ir;
	struct telling t = { .s = s, .say = n->say_at != 0 && now >= n->say_at };
	uint32_t answering = 0;

	if (t.say) {
		/* The times count from the first real announcement. Otherwise a box that is late
		 * would send two while the switch forwards nothing. */
		n->say_first = n->said == 0 ? now : n->say_first;
		n->say_at = ++n->said < SAY_TIMES ? n->say_first + say_after[n->said] : 0;
	}
	for (uint32_t i = 0; i < ir->n_interfaces; i++)
		answering += announces(&ir->interfaces[i]);
	if (answering == 0 || s->gens.now->number == 0)
		return;
	if (n->links == NULL || n->links_of != s->gens.now->number) {
		struct link *links = calloc(ir->n_interfaces, sizeof(*links));

		if (links == NULL)
			return;
		free(n->links);
		n->links = links;
		n->links_of = s->gens.now->number;
	}
	(void)box_interfaces(&s->ground.spaces, ir, tell_hosts, &t, NULL);
	if (t.came) {
		n->say_at = n->say_first = now;
		n->said = 0;
	}
}

/* Compares the network with box.cfg, and restores it. What cannot be restored, such as a missing
 * device, is reported once, even if other differences come and go. A device that is gone is a dead
 * card, not a change by somebody, so it does not count as drift. */
static void compare_network(struct supervisor *s)
{
	struct comparing c = { .s = s, .found = json_object(), .gone = json_object() };
	struct network *n = s->network;
	uint64_t at;
	enum drift what = DRIFT_NETWORK;
	struct err e = { 0 };

	if (box_compare(&s->ground.spaces, s->gens.now->ir, true, note_difference, &c, &e) < 0) {
		json_t *trouble = json_object();
		char text[EVENT_TEXT];

		found_note(trouble, "box", "error", e.text);
		json_object_update(c.found, trouble);
		what = found_news(trouble, n->seen, text, sizeof(text)) == 0 ? DRIFT_NETWORK : DRIFT_UNMENDED;
		json_decref(trouble);
	}
	n->drifts += report(s, what, c.found, n->seen, &n->drift_wall_ns);
	(void)report(s, DRIFT_GONE, c.gone, n->seen, &at);
	json_object_update(c.found, c.gone);
	json_decref(c.gone);
	json_decref(n->seen);
	n->seen = c.found;
}

uint64_t network_due(struct supervisor *s, uint64_t now)
{
	struct network *n = s->network;

	if (now < next_look(n))
		return next_look(n);
	/* An operation's own changes are not drift, and it compares by itself. */
	n->look = s->op.kind != OP_NONE || !s->gens.loading.booted ? now + SETTLES : 0;
	if (n->look != 0) {
		n->outside_at = n->look;
		if (n->say_at != 0 && n->say_at < n->look)
			n->say_at = n->look;
	} else {
		outside_due(s, now);
		compare_network(s);
		announce_due(s, now);
	}
	return next_look(n);
}
