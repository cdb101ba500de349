/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must exist before any interface is touched: the data and admin namespaces, the lock on the
 * data namespace, and the deny base in it. The daemon begins with this, and `sekishod --base` does
 * only this (alone/base.c).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/json_each.h"
#include "appliance/box/admin_rules.h"
#include "appliance/box/box.h"
#include "appliance/box/netns.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/sockets.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/kernel/small_tables.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/backstop.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/notify.h"
#include "appliance/supervise/supervise.h"

/* The socket of an earlier daemon, if it is of this namespace: the rules that the socket owns then
 * belong to this daemon. */
static int rules_socket(void *ctx, struct err *e)
{
	struct supervisor *s = ctx;
	int fd = notify_kept();

	s->sockets.rules_kept = fd >= 0 && enforce_socket_here(fd);
	if (s->sockets.rules_kept)
		return fd;
	if (fd >= 0)
		close(fd);
	return enforce_socket_open(false, e);
}

struct base {
	/* the socket that owns the rules; -1 = one is opened here and closed afterwards */
	int rules;
	bool *adopted;
};

/* Loads the deny base. If that fails, turns forwarding off. */
static int load_deny_base(void *ctx, struct err *e)
{
	const struct base *b = ctx;
	int r = b->rules >= 0 ? deny_base_load_by(b->rules, b->adopted, e) : deny_base_load_here(b->adopted, e);
	struct forwarding f;

	if (r < 0) {
		(void)forwarding_open(&f, NULL);
		(void)forwarding_set(&f, false, NULL);
		forwarding_close(&f);
	}
	return r;
}

int guard_take(struct supervisor *s, bool daemon, bool *adopted, struct err *e)
{
	struct base base = { -1, adopted };
	bool made;
	int r;

	s->ground.spaces.home = netns_own(e);
	if (s->ground.spaces.home < 0)
		return s->ground.spaces.home;
	s->ground.spaces.data = netns_open(s->ground.o->data_netns, &made, e);
	if (s->ground.spaces.data < 0)
		return s->ground.spaces.data;
	s->ground.data_lock = in_namespace(&s->ground, s->ground.spaces.data, lock_namespace, NULL, e);
	if (s->ground.data_lock < 0)
		return s->ground.data_lock;
	s->ground.spaces.admin = netns_open(s->ground.o->admin_netns, &made, e);
	if (s->ground.spaces.admin < 0)
		return s->ground.spaces.admin;
	if (netns_same(s->ground.spaces.data, s->ground.spaces.home) ||
	    netns_same(s->ground.spaces.data, s->ground.spaces.admin))
		return err_set(e, -ENOTUNIQ, "two namespaces that are one");
	if (daemon) {
		s->sockets.rules = base.rules = in_namespace(&s->ground, s->ground.spaces.data, rules_socket, s, e);
		if (base.rules < 0)
			return base.rules;
	}
	r = in_namespace(&s->ground, s->ground.spaces.data, load_deny_base, &base, e);
	if (r == 0)
		r = box_admin_rules_base(&s->ground.spaces, e);
	/* only after the rules, because the rules make the kernel load connection tracking */
	capacity_raise(CAPACITY_SETTINGS);
	return r == 0 ? box_loopback(&s->ground.spaces, e) : r;
}

int guard_enter(struct supervisor *s, bool *adopted, struct err *e)
{
	int r;

	r = guard_take(s, true, adopted, e);
	if (r == -EBUSY || r == -ENOTUNIQ)
		message_print(stderr, s->ground.o->lang, r == -EBUSY ? M_DAEMON_BUSY : M_DAEMON_SAME_NETNS,
			      s->ground.o->data_netns);
	if (r == -ENOTUNIQ)
		r = -EBUSY; /* already printed, so the caller prints nothing more */
	return r < 0 ? r : scratch_open(s->ground.spaces.home, &s->ground.scratch, e);
}

#define MOST 1024u /* names; no policy has as many interfaces */

struct names {
	const char *list[MOST]; /* borrowed */
	size_t n;
	bool full;
};

static void add_name(struct names *x, const char *name)
{
	size_t i = 0;

	while (name != NULL && i < x->n && strcmp(x->list[i], name) != 0)
		i++;
	if (name == NULL || *name == '\0' || i < x->n)
		return;
	if (x->n < MOST)
		x->list[x->n++] = name;
	else
		x->full = true;
}

/* Adds the device and the VLANs on it. A bridge that it is a port of is left out, because it has
 * other ports, too. */
static void add_links(struct names *x, const json_t *links)
{
	json_each(link, links) {
		const char *name = text_in(link, "name");
		bool has_ports = false;

		json_each(other, links)
			has_ports |= strcmp(text_in(other, "master"), name) == 0;
		if (!has_ports)
			add_name(x, name);
	}
}

int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e)
{
	struct names x = { .n = 0 };
	json_t *record;
	const char *device;

	json_object_foreach(json_object_get(kept, "devices"), device, record) {
		if (kept_mark(record) == KEPT_RELEASED)
			continue;
		add_name(&x, device);
		add_links(&x, json_object_get(json_object_get(record, "picture"), "links"));
	}
	for (uint32_t i = 0; ir != NULL && i < ir->n_interfaces; i++) {
		device = ir_card(&ir->interfaces[i]);
		if (kept_find(kept, device) == NULL && !box_has(spaces, device))
			add_name(&x, device);
	}
	if (home_rules_set(x.list, x.n, e) < 0)
		return e->code;
	return x.full ? err_set(e, -E2BIG, "more than %u cards", MOST) : 0;
}

/* ns for enforce to answer after a change of the rules; on a busy machine it takes a tenth of
 * that */
#define ENFORCE_HAS_NS 50000000ull

/* Runs in the data namespace. */
static int open_here(void *ctx, struct err *e)
{
	struct backstop *b = ctx;
	int r = forwarding_open(&b->forwarding, e);

	if (r == 0)
		r = b->monitor = enforce_socket_open(true, e);
	if (r < 0)
		forwarding_close(&b->forwarding);
	return r;
}

int backstop_follow(struct ground *ground, int requests, struct err *e)
{
	struct sockaddr_nl self = { 0 };
	socklen_t n = sizeof(self);
	int r;

	if (getsockname(requests, (struct sockaddr *)&self, &n) < 0)
		return err_set(e, -errno, "whose changes of the rules are heard");
	if (ground->backstop.monitor < 0) {
		r = in_namespace(ground, ground->spaces.data, open_here, &ground->backstop, e);
		if (r < 0)
			return r;
	}
	return enforce_socket_ignore(ground->backstop.monitor, self.nl_pid, e);
}

void backstop_heard(struct ground *ground)
{
	struct backstop *b = &ground->backstop;

	if (b->monitor >= 0 && enforce_socket_touched(b->monitor) && b->heard_ns == 0)
		b->heard_ns = mono_ns();
}

void backstop_answered(struct ground *ground, const struct msg_drift *d)
{
	if (d->what == DRIFT_CHANGED || d->what == DRIFT_FLUSHED || d->what == DRIFT_SHUT)
		ground->backstop.heard_ns = 0;
}

static void shut(struct supervisor *s)
{
	struct event ev = event_new(EVENT_DRIFT, clock_wall_ns());
	struct err e = { 0 };

	ev.verdict = EV_DENY;
	ev.value = (mono_ns() - s->ground.backstop.heard_ns) / 1000;
	if (forwarding_set(&s->ground.backstop.forwarding, false, &e) < 0) {
		ev.code = DRIFT_UNMENDED;
		event_say(&ev, EVENT_OBJECT, e.text);
		supervisor_say(s, M_DRIFT_STILL_ON, e.text);
	} else {
		ev.code = DRIFT_STOOD_IN;
		supervisor_say(s, M_DRIFT_STOOD_IN);
	}
	event_send(&s->ground.events, &ev);
}

uint64_t backstop_due(struct supervisor *s, uint64_t now)
{
	struct backstop *b = &s->ground.backstop;
	uint64_t at = b->heard_ns != 0 ? b->heard_ns + ENFORCE_HAS_NS : UINT64_MAX;

	if (now < at)
		return at;
	/* Forwarding is off already: enforce has reacted, or no packet was to be forwarded. */
	if (forwarding_is_on(&b->forwarding))
		shut(s);
	b->heard_ns = 0;
	return UINT64_MAX;
}
