/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the deny base, early in the boot and in the machine's mount namespace, so that the names of
 * the namespaces outlive the daemon's unit and its sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "appliance/alone/alone.h"
#include "appliance/store/kept.h"
#include "appliance/supervise/guard.h"
#include "appliance/supervise/supervise.h"

/* Sets the rules for cards outside the box as the last daemon left them. Before the first apply
 * there are none. */
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

int base_alone(const struct supervise_options *o)
{
	static struct supervisor s; /* static, because it is large */
	struct err e = { 0 };
	bool adopted = false;
	int r;

	s.ground.o = o;
	/* If a daemon runs, guard_take fails. That daemon sets the rules for cards itself, because
	 * it knows more than its file. */
	r = guard_take(&s, false, &adopted, &e);
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
