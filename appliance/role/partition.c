/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/partition.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/role/sandbox_table.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

#define MIB 1048576u
/* Bytes that the group "guard" keeps when memory is short: four times what its programs and their
 * data take. */
#define GUARD_KEEPS ((uint64_t)64 * MIB)
/* When both groups want a processor, "guard" gets nine tenths. Real-time priorities are independent
 * of this. */
#define GUARD_WEIGHT "900"
#define PARSERS_WEIGHT "100"
/* systemd's mark on a group that it has handed over to the service. */
#define DELEGATED "user.delegate"

/* ---- files of a group ------------------------------------------------------------------------ */

/* Writes a value to a file of a group, in one write. */
static int write_value(int folder, const char *name, const char *value, struct err *e)
{
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC), code = 0;

	errno = fd < 0 ? errno : EIO; /* a partial write sets no errno */
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		code = err_set(e, -errno, "write %s to %s", value, name);
	if (fd >= 0)
		close(fd);
	return code;
}

static int put_bytes(int folder, const char *name, uint64_t bytes, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return write_value(folder, name, text, e);
}

/* The file as text; "" when it is unreadable. */
static const char *get(int folder, const char *name, char *out, size_t size)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	out[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return out;
}

static int64_t read_number(int folder, const char *name)
{
	char text[32];

	return strtoll(get(folder, name, text, sizeof(text)), NULL, 10);
}

static bool has_word(char *list, const char *word)
{
	char *rest = NULL;

	for (char *w = strtok_r(list, " \n", &rest); w != NULL; w = strtok_r(NULL, " \n", &rest))
		if (strcmp(w, word) == 0)
			return true;
	return false;
}

/* The folder of a group below `folder`, made if it does not exist. */
static int open_group(int folder, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(folder, name, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make the group %s", name);
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open the group %s", name) : fd;
}

/* ---- making the groups ----------------------------------------------------------------------- */

/* Makes the group of a slot, sets its memory limit, and opens the descriptor through which
 * processes join the group. */
static int own_group(int parsers, unsigned slot, uint32_t mib, int *ret, struct err *e)
{
	char name[32];
	int fd, r;

	snprintf(name, sizeof(name), slot >= SLOT_DPI ? "%s-%u" : "%s", role_name(slot_role(slot)), slot_index(slot));
	fd = open_group(parsers, name, e);
	if (fd < 0)
		return fd;
	r = put_bytes(fd, "memory.max", (uint64_t)mib * MIB, e);
	if (r == 0 && (*ret = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC)) < 0)
		r = err_set(e, -errno, "open the group %s", name);
	close(fd);
	return r;
}

/* This process enters "guard" before memory is divided: afterwards the kernel allows no process
 * beside the groups. */
static int divide_memory(int folder, uint64_t memory_bytes, struct partition *p, struct err *e)
{
	int r;

	p->guard = open_group(folder, "guard", e);
	if (p->guard < 0)
		return p->guard;
	p->parsers = open_group(folder, "parsers", e);
	if (p->parsers < 0)
		return p->parsers;
	r = write_value(p->guard, "cgroup.procs", "0", e);
	if (r == 0)
		r = write_value(folder, "cgroup.subtree_control", "+memory", e);
	if (r == 0)
		r = put_bytes(p->guard, "memory.min", GUARD_KEEPS, e);
	/* The rest of the memory is for guard, for the kernel's packet memory, and for other
	 * programs. */
	if (r == 0)
		r = put_bytes(p->parsers, "memory.max", memory_bytes / 4 * 3, e);
	if (r == 0)
		r = write_value(p->parsers, "cgroup.subtree_control", "+memory", e);
	for (unsigned i = 0; r == 0 && i < SLOTS; i++) {
		const struct profile *role = sandbox_profile(slot_role(i));

		if (role != NULL && role->group_mib != 0)
			r = own_group(p->parsers, i, role->group_mib, &p->group[i], e);
	}
	if (r < 0)
		return r;
	/* Without swap, a process above its limit is killed at once instead of being slowed down.
	 * On a machine without swap this file does not exist. */
	write_value(p->parsers, "memory.swap.max", "0", NULL);
	p->cores = write_value(folder, "cgroup.subtree_control", "+cpu", NULL) == 0 &&
		   write_value(p->guard, "cpu.weight", GUARD_WEIGHT, NULL) == 0 &&
		   write_value(p->parsers, "cpu.weight", PARSERS_WEIGHT, NULL) == 0;
	return 0;
}

void partition_make(int folder, uint64_t memory_bytes, struct partition *ret)
{
	char list[256];

	get(folder, "cgroup.controllers", list, sizeof(list));
	if (!has_word(list, "memory")) {
		ret->state = PARTITION_NO_MEMORY;
		return;
	}
	if (divide_memory(folder, memory_bytes, ret, &ret->failed) == 0) {
		ret->state = PARTITION_STANDS;
		return;
	}
	/* If a step failed, there is no division at all: processes stay in this process's group,
	 * without a limit. */
	ret->state = PARTITION_FAILED;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (ret->group[i] >= 0)
			close(ret->group[i]);
		ret->group[i] = -1;
	}
}

/* Where cgroup version 2 is mounted, alone or beside version 1. -1: nowhere. */
static int open_all(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct statfs st;

		if (fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* The folder of this process's group; -1 = not found. */
static int open_own(int all)
{
	char text[4096], *at, *end;

	get(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text));
	at = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (at == NULL)
		return -1;
	at = strstr(at, "0::/") + 4;
	end = strchr(at, '\n');
	if (end == NULL)
		return -1;
	*end = 0;
	return openat(all, *at != 0 ? at : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void partition_open(struct partition *ret)
{
	int all = open_all(), own = all >= 0 ? open_own(all) : -1;
	char text[16];

	*ret = (struct partition){ .state = PARTITION_NO_GROUPS, .guard = -1, .parsers = -1, .score = -1 };
	for (unsigned i = 0; i < SLOTS; i++)
		ret->group[i] = -1;
	if (all >= 0)
		ret->state = PARTITION_NOT_DELEGATED;
	if (own >= 0 && fgetxattr(own, DELEGATED, text, sizeof(text)) == 1 && text[0] == '1')
		partition_make(own, (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), ret);
	if (own >= 0)
		close(own);
	if (all >= 0)
		close(all);
	ret->score = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (ret->score >= 0)
		ret->own_score = (int)read_number(AT_FDCWD, "/proc/self/oom_score_adj");
}

/* ---- a new process --------------------------------------------------------------------------- */

static void set_score(const struct partition *p, int score)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", score);

	/* If this fails, the kernel treats the process like any other. */
	if (pwrite(p->score, text, (size_t)n, 0) != n)
		return;
}

pid_t partition_fork(const struct partition *p, unsigned slot)
{
	const struct profile *role = sandbox_profile(slot_role(slot));
	/* A child's score is never better than this process's own. A child inherits the score, and
	 * cannot change it once its sandbox has closed. */
	bool other = p->score >= 0 && role != NULL && role->group_mib != 0 && role->oom_score > p->own_score;
	pid_t pid;

	if (other)
		set_score(p, role->oom_score);
	pid = fork();
	if (pid == 0) {
		/* If a process cannot join its group, it runs anyway. */
		if (p->group[slot] >= 0 && write(p->group[slot], "0", 1) != 1)
			return pid;
	} else if (other)
		set_score(p, p->own_score);
	return pid;
}

/* ---- status ---------------------------------------------------------------------------------- */

/* How many processes of a group the kernel has killed for lack of memory since the daemon
 * started. */
static int64_t ended(int folder)
{
	char text[512], *at;

	get(folder, "memory.events", text, sizeof(text));
	at = strstr(text, "oom_kill ");
	return at != NULL ? strtoll(at + strlen("oom_kill "), NULL, 10) : 0;
}

json_t *partition_json(const struct partition *p)
{
	static const enum message why[] = {
		[PARTITION_NO_GROUPS] = M_PARTITION_NO_GROUPS,
		[PARTITION_NOT_DELEGATED] = M_PARTITION_NOT_DELEGATED,
		[PARTITION_NO_MEMORY] = M_PARTITION_NO_MEMORY,
		[PARTITION_FAILED] = M_PARTITION_FAILED,
	};
	struct sentence said = { 0 };

	if (p->state != PARTITION_STANDS) {
		sentence_say(&said, why[p->state], p->failed.text);
		return json_pack("{s:b, s:o}", "stands", false, "why", sentence_json(&said));
	}
	return json_pack("{s:b, s:n, s:b, s:{s:I, s:I}, s:{s:I, s:I, s:I}}", "stands", true, "why", "cores", p->cores,
			 "guard", "memory", read_number(p->guard, "memory.current"), "kept",
			 read_number(p->guard, "memory.min"), "parsers", "memory",
			 read_number(p->parsers, "memory.current"), "most", read_number(p->parsers, "memory.max"),
			 "ended", ended(p->parsers));
}
