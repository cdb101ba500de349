/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict cache, as the supervisor has it: it loads the program once, before it gives up the
 * right to, and keeps program and memory for all its enforces and workers. Only a worker that has
 * all commands gets the memory: the rule cannot see which worker a packet belongs to, and none may
 * write leases for the sessions of another.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

#define OBJECT "sekisho-once.o"

/* Beside this program, or where packages put it. */
static int load(struct cache *ret, struct err *e)
{
	static const char *const places[] = { "/" OBJECT, "/../lib/sekisho/" OBJECT };
	char path[PATH_MAX + 32];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	int r = -ENOENT;

	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, -ENOENT, "find %s", OBJECT);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && r == -ENOENT; i++) {
		snprintf(slash, 32, "%s", places[i]);
		r = access(path, R_OK) == 0 ? cache_load(path, ret, e) : err_set(e, -ENOENT, "find %s", OBJECT);
	}
	return r;
}

void once_open(struct supervisor *s)
{
	struct err e = { 0 };

	s->once = (struct once){ .cache = { -1, -1, -1 } };
	if (load(&s->once.cache, &e) == 0)
		s->once.leases = cache_leases(&s->once.cache);
	if (s->once.leases == NULL) {
		fprintf(stderr, "sekishod: verdict cache: %s\n", e.code != 0 ? e.text : "memory");
		cache_close(&s->once.cache);
	}
}

bool once_lends(const struct supervisor *s, uint32_t w)
{
	return s->once.leases != NULL && pair_kind(w) == LANE_COMMANDS && s->workers_run[LANE_COMMANDS] == 1;
}

void once_died(struct supervisor *s, const siginfo_t *how)
{
	if (how->si_code != CLD_EXITED && how->si_status != SIGKILL)
		once_void(s);
}

void once_void(struct supervisor *s)
{
	for (uint32_t i = 0; s->once.leases != NULL && i < ONCE_LEASES; i++) {
		__atomic_store_n(&s->once.leases[i].permit, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&s->once.leases[i].state, ONCE_BACK, __ATOMIC_SEQ_CST);
	}
}
