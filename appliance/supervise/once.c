/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict cache, as the supervisor has it: it loads the programs once, before it gives up the
 * right to, and keeps programs and memory for all its enforces and workers. Only a worker that has
 * all lanes of its kind gets the memory: the rule cannot see which worker a packet belongs to, and
 * none may write leases for the sessions of another.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

#define OBJECT "sekisho-once.o"

/* Beside this program, or where packages put it. */
static int load(enum lane_kind kind, struct cache *ret, struct err *e)
{
	static const char *const places[] = { "/" OBJECT, "/../lib/sekisho/" OBJECT };
	char path[PATH_MAX + 32];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;
	int r = -ENOENT;

	*ret = (struct cache){ -1, -1, -1, -1 };
	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, -ENOENT, "find %s", OBJECT);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && r == -ENOENT; i++) {
		snprintf(slash, 32, "%s", places[i]);
		r = access(path, R_OK) == 0 ? cache_load(path, kind == LANE_COMMANDS, ret, e)
					    : err_set(e, -ENOENT, "find %s", OBJECT);
	}
	return r;
}

void once_open(struct supervisor *s)
{
	struct err e = { 0 };
	bool good = true;

	s->once = (struct once){ .leases = NULL };
	for (unsigned k = 0; k < LANE_KINDS; k++) {
		good = load((enum lane_kind)k, &s->once.cache[k], &e) == 0 && good;
		s->once.handshakes[k] = good ? cache_handshakes(&s->once.cache[k]) : NULL;
		good = good && s->once.handshakes[k] != NULL;
	}
	if (good)
		s->once.leases = cache_leases(&s->once.cache[LANE_COMMANDS]);
	if (s->once.leases != NULL)
		return;
	fprintf(stderr, "sekishod: verdict cache: %s\n", e.code != 0 ? e.text : "memory");
	for (unsigned k = 0; k < LANE_KINDS; k++)
		cache_close(&s->once.cache[k]);
}

unsigned once_memory(const struct supervisor *s, uint32_t w, int fds[3])
{
	enum lane_kind kind = pair_kind(w);
	const struct cache *c = &s->once.cache[kind];

	if (s->once.leases == NULL || s->workers_run[kind] != 1)
		return 0;
	fds[0] = c->handshakes;
	fds[1] = c->leases;
	fds[2] = c->templates;
	return kind == LANE_COMMANDS ? 3 : 1;
}

void once_died(struct supervisor *s, uint32_t w, const siginfo_t *how)
{
	if (s->once.leases != NULL)
		__atomic_store_n(&s->once.handshakes[pair_kind(w)]->alive_ns, 0, __ATOMIC_RELAXED);
	if (how->si_code != CLD_EXITED && how->si_status != SIGKILL)
		once_void(s, pair_kind(w));
}

void once_void(struct supervisor *s, enum lane_kind kind)
{
	if (s->once.leases == NULL)
		return;
	for (uint32_t i = 0; i < ONCE_HANDSHAKES; i++)
		__atomic_store_n(&s->once.handshakes[kind]->of[i].mark, 0, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < ONCE_HANDSHAKES; i++)
		__atomic_store_n(&s->once.handshakes[kind]->of[i].state, ONCE_BACK, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; kind == LANE_COMMANDS && i < ONCE_LEASES; i++) {
		__atomic_store_n(&s->once.leases[i].permit, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&s->once.leases[i].state, ONCE_BACK, __ATOMIC_SEQ_CST);
	}
}
