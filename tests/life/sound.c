/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/life/sound.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/base/atomic_file.h"
#include "appliance/base/sha256.h"
#include "appliance/store/generation.h"
#include "tests/life/disk.h"
#include "tests/life/life.h"
#include "tests/life/machine.h"

static int generations(void)
{
	char path[120];

	snprintf(path, sizeof(path), "%s/state/generations", life.folder);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool digest_of(int dirfd, const char *name, uint8_t ret[32])
{
	uint8_t *p;
	struct err e;
	size_t n;

	if (file_read(dirfd, name, GENERATION_BYTES_MOST, &p, &n, &e) < 0)
		return false;
	sha256(p, n, ret);
	free(p);
	return true;
}

uint64_t disk_confirmed(void)
{
	int dir = generations();
	uint8_t *text = NULL;
	uint64_t number = 0;
	struct err e;
	size_t n;

	if (dir >= 0 && file_read(dir, "confirmed", 64, &text, &n, &e) == 0)
		number = strtoull((const char *)text, NULL, 10);
	free(text);
	if (dir >= 0)
		close(dir);
	return number;
}

static bool is_compiled(const uint8_t digest[32])
{
	for (unsigned i = 0; i < POLICIES_KNOWN; i++)
		if (memcmp(compiled[i].digest, digest, 32) == 0)
			return true;
	return false;
}

bool disk_whole(void)
{
	int dir = generations();
	DIR *d = dir >= 0 ? fdopendir(dir) : NULL;
	const struct dirent *x;
	bool whole = true;
	uint8_t digest[32];

	while (d != NULL && (x = readdir(d)) != NULL)
		if (strncmp(x->d_name, "gen-", 4) == 0 && strstr(x->d_name, ".sealed") != NULL)
			whole = whole && digest_of(dir, x->d_name, digest) && is_compiled(digest);
	if (d != NULL)
		closedir(d);
	return whole;
}

bool rules_of(uint64_t number)
{
	int dir = generations();
	uint8_t digest[32];
	char name[40];
	bool same = false;

	snprintf(name, sizeof(name), "gen-%llu.sealed", (unsigned long long)number);
	if (number == 0)
		same = !is_compiled(machine.digest);
	else if (dir >= 0)
		same = digest_of(dir, name, digest) && memcmp(digest, machine.digest, 32) == 0;
	if (dir >= 0)
		close(dir);
	return same;
}

bool rules_are(enum known_policy p)
{
	return machine.forwarding && memcmp(machine.digest, compiled[p].digest, 32) == 0;
}

bool always_sound(void)
{
	bool once = true;

	for (uint32_t i = 1; i <= processes.asked; i++)
		once = once && processes.answers[i].times <= 1;
	return once && (machine.base || !machine.forwarding) && disk.unsynced == 0 && disk_whole();
}

/*
 * Reads the history with the product's own reader: no generation waits except the one on trial, and
 * the generation that a start loads has a line.
 */
static bool history_says(uint64_t trial)
{
	char path[120];
	struct generation_store store;
	struct err e;
	bool so = true;
	int state;

	snprintf(path, sizeof(path), "%s/state", life.folder);
	state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state < 0 || generation_store_look(state, &store, &e) < 0)
		return false;
	for (size_t i = 0; i < store.n; i++)
		so = so && (store.list[i].state == GEN_WAITING) == (store.list[i].number == trial);
	so = so && !store.damaged && !store.lost &&
	     (store.confirmed == 0 || generation_find(&store, store.confirmed) != NULL);
	generation_store_close(&store);
	close(state);
	return so;
}

bool sound_at_rest(void)
{
	const struct msg_standing *s = &processes.standing;

	/* The journal takes the thresholds of attacks from the generation that it was told last. */
	return always_sound() && !s->busy && rules_of(s->number) && history_says(s->trial) &&
	       (!process_lives(ROLE_JOURNAL) || processes.named.number == s->number) &&
	       (s->trial != 0 ? s->trial == s->number : disk_confirmed() == s->number);
}
