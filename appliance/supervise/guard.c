/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before any interface is touched: the two namespaces, the lock on the first, and the deny base in it. The daemon
 * begins with it, and `sekishod --base` does it alone: early in the boot, and in the mount namespace of the machine, so that
 * the names of the namespaces outlive whatever a unit of the daemon shuts it in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/box/admin_rules.h"
#include "appliance/box/capacity.h"
#include "appliance/box/lock.h"
#include "appliance/box/netns.h"
#include "appliance/box/scratch.h"
#include "appliance/box/sysctl.h"
#include "appliance/kernel/deny_base.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/home.h"
#include "appliance/supervise/supervise.h"

/* Without it nothing is forwarded, whatever stands there instead. */
static int load_deny_base(void *ctx, struct err *e)
{
	int r = deny_base_load_here(ctx, e);
	struct forwarding f;

	if (r < 0) {
		(void)forwarding_open(&f, NULL);
		(void)forwarding_set(&f, false, NULL);
		forwarding_close(&f);
	}
	return r;
}

/*
 * 0: the namespaces are ours, and the base stands. Two failures are told by their number alone: -EBUSY, somebody else guards
 * them, and -ENOTUNIQ, two of the three are the same.
 */
static int take(struct supervisor *s, bool *adopted, struct err *e)
{
	bool made;
	int r;

	s->spaces.home = netns_own(e);
	if (s->spaces.home < 0)
		return s->spaces.home;
	s->spaces.data = netns_open(s->o->data_netns, &made, e);
	if (s->spaces.data < 0)
		return s->spaces.data;
	s->data_lock = in_namespace(s, s->spaces.data, lock_namespace, NULL, e);
	if (s->data_lock < 0)
		return s->data_lock;
	s->spaces.admin = netns_open(s->o->admin_netns, &made, e);
	if (s->spaces.admin < 0)
		return s->spaces.admin;
	if (netns_same(s->spaces.data, s->spaces.home) || netns_same(s->spaces.data, s->spaces.admin))
		return err_set(e, -ENOTUNIQ, "two namespaces that are one");
	r = in_namespace(s, s->spaces.data, load_deny_base, adopted, e);
	if (r == 0)
		r = box_admin_rules_base(&s->spaces, e);
	capacity_raise(CAPACITY_SETTINGS); /* behind the rules that bring connection tracking along */
	return r == 0 ? box_loopback(&s->spaces, e) : r;
}

int guard_enter(struct supervisor *s, bool *adopted, struct err *e)
{
	int r;

	r = take(s, adopted, e);
	if (r == -EBUSY || r == -ENOTUNIQ)
		message_print(stderr, s->o->lang, r == -EBUSY ? M_DAEMON_BUSY : M_DAEMON_SAME_NETNS, s->o->data_netns);
	if (r == -ENOTUNIQ)
		r = -EBUSY; /* said, as well */
	return r < 0 ? r : scratch_open(s->spaces.home, &s->scratch, e);
}

/* As the last daemon left it; nothing is there before the first apply. */
static int guard_home(const struct supervise_options *o, struct err *e)
{
	int state = open(o->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *kept = state >= 0 ? kept_look(state) : NULL;
	int r = kept != NULL ? home_guard(kept, NULL, NULL, e) : 0;

	json_decref(kept);
	if (state >= 0)
		close(state);
	return r;
}

int supervise_base(const struct supervise_options *o)
{
	static struct supervisor s; /* large, and there is one */
	struct err e = { 0 };
	bool adopted = false;
	int r;

	s.o = o;
	/* Where a daemon runs it knows more than its file does. */
	r = take(&s, &adopted, &e);
	if (r == 0 && guard_home(o, &e) < 0)
		message_print(stderr, o->lang, M_HOME_UNGUARDED, e.text);
	if (r == -EBUSY)
		message_print(stdout, o->lang, M_BASE_GUARDED, o->data_netns);
	else if (r == -ENOTUNIQ)
		message_print(stderr, o->lang, M_DAEMON_SAME_NETNS, o->data_netns);
	else if (r < 0)
		message_print(stderr, o->lang, M_BASE_FAILED, e.text);
	else
		message_print(stdout, o->lang, adopted ? M_BASE_STOOD : M_BASE_LOADED, o->data_netns, o->admin_netns);
	return r == 0 || r == -EBUSY ? 0 : 3;
}
