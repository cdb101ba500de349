/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's part of the verdict cache. It loads the programs once, before it gives up the
 * right to do so, and keeps the programs and their memory for each enforce and worker that it
 * starts. A worker gets the memory only if it has all lanes of its kind, because the rule cannot
 * see which worker a packet belongs to, and no worker may write leases for the sessions of another.
 *
 * When the daemon has ended, the rules keep its programs and memory. The next daemon finds the
 * leases by the numbers that this one noted in the run folder, and gives them to its own program.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/own_path.h"
#include "appliance/supervise/once.h"
#include "appliance/supervise/supervise.h"

#define OBJECT "sekisho-once.o"
#define NOTE "once.memory"

/* The contents of that file. Without it, the next daemon begins with empty memory. */
struct once_note {
	uint32_t layout;
	struct cache_memory memory;
};

static struct cache_memory read_note(const struct ground *ground)
{
	struct once_note note = { 0 };
	uint8_t *p = NULL;
	size_t n = 0;

	if (file_read(ground->run_fd, NOTE, sizeof(note), &p, &n, NULL) == 0 && n == sizeof(note))
		memcpy(&note, p, n);
	free(p);
	return note.layout == ONCE_LAYOUT ? note.memory : (struct cache_memory){ 0 };
}

/* Loads the cache's program from the folder of this program, or from where packages put it. */
static int load_program(struct cache_memory *memory, struct cache *ret, struct err *e)
{
	static const char *const places[] = { OBJECT, "../lib/sekisho/" OBJECT };
	char path[PATH_MAX];
	int r = -ENOENT;

	*ret = (struct cache){ -1, -1, -1, -1 };
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && r == -ENOENT; i++)
		r = own_path(places[i], path) && access(path, R_OK) == 0 ? cache_load(path, memory, ret, e)
									 : err_set(e, -ENOENT, "find %s", OBJECT);
	return r;
}

void once_open(struct supervisor *s)
{
	struct cache_memory before = read_note(&s->ground), memory = before;
	struct err e = { 0 };
	bool good = true;

	s->workforce.once = (struct once){ .leases = NULL };
	for (unsigned k = 0; k < LANE_KINDS; k++) {
		good = load_program(k == LANE_COMMANDS ? &memory : NULL, &s->workforce.once.cache[k], &e) == 0 && good;
		s->workforce.once.handshakes[k] = good ? cache_handshakes(&s->workforce.once.cache[k]) : NULL;
		good = good && s->workforce.once.handshakes[k] != NULL;
	}
	if (good)
		s->workforce.once.leases = cache_leases(&s->workforce.once.cache[LANE_COMMANDS]);
	if (s->workforce.once.leases != NULL && memcmp(&before, &memory, sizeof(memory)) != 0)
		(void)atomic_write(s->ground.run_fd, NOTE, &(struct once_note){ ONCE_LAYOUT, memory },
				   sizeof(struct once_note), NULL);
	if (s->workforce.once.leases != NULL)
		return;
	fprintf(stderr, "sekishod: verdict cache: %s\n", e.code != 0 ? e.text : "memory");
	for (unsigned k = 0; k < LANE_KINDS; k++)
		cache_close(&s->workforce.once.cache[k]);
}

unsigned once_memory(const struct supervisor *s, uint32_t w, int fds[3])
{
	enum lane_kind kind = pair_kind(w);
	const struct cache *c = &s->workforce.once.cache[kind];

	if (s->workforce.once.leases == NULL || s->workforce.running[kind] != 1)
		return 0;
	fds[0] = c->handshakes;
	fds[1] = c->leases;
	fds[2] = c->templates;
	return kind == LANE_COMMANDS ? 3 : 1;
}

void once_died(struct supervisor *s, uint32_t w, const siginfo_t *how)
{
	if (s->workforce.once.leases != NULL)
		__atomic_store_n(&s->workforce.once.handshakes[pair_kind(w)]->alive_ns, 0, __ATOMIC_RELAXED);
	if (s->workforce.pairs[w].distrusted || (how->si_code != CLD_EXITED && how->si_status != SIGKILL))
		once_void(s, pair_kind(w));
	s->workforce.pairs[w].distrusted = false;
}

void once_void(struct supervisor *s, enum lane_kind kind)
{
	if (s->workforce.once.leases == NULL)
		return;
	for (uint32_t i = 0; i < ONCE_HANDSHAKES; i++)
		__atomic_store_n(&s->workforce.once.handshakes[kind]->of[i].mark, 0, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < ONCE_HANDSHAKES; i++)
		__atomic_store_n(&s->workforce.once.handshakes[kind]->of[i].state, ONCE_BACK, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; kind == LANE_COMMANDS && i < ONCE_LEASES; i++) {
		__atomic_store_n(&s->workforce.once.leases[i].permit, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&s->workforce.once.leases[i].state, ONCE_BACK, __ATOMIC_SEQ_CST);
	}
}
