/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/vigil.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT 1024	   /* of a process: 52 fields */
#define CORES_TEXT 16384   /* the first lines of /proc/stat, one a core */
#define FIELDS 36	   /* of a process: from its state to its core */
#define PER_TICK 10000000u /* ns; in such ticks does /proc/stat count */
/* What /proc/stat says lags behind by a tick of its own and by one of the kernel's. */
#define LAG 15000000u

/* The processor time of another process, all its threads: the kernel's own numbering of such clocks, which the C library
 * hands out only for processes that it can ask about itself. */
static uint64_t cpu_ns(pid_t pid)
{
	struct timespec t = { 0 };

	if (pid <= 0 || clock_gettime((clockid_t)(~(unsigned)pid << 3 | 2u), &t) < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int vigil_open(pid_t pid, struct err *e)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_set(e, -errno, "open %s", path) : fd;
}

/* A name may hold anything, a closing bracket too: the last one ends it. 0: none does. */
static size_t behind_name(struct bytes text)
{
	size_t at = text.left;

	while (at > 0 && text.p[at - 1] != ')')
		at--;
	return at;
}

char vigil_state(struct bytes text)
{
	size_t at = behind_name(text);

	return at > 0 && at + 1 < text.left && text.p[at] == ' ' ? (char)text.p[at + 1] : 0;
}

/* The next number of a text in which fields are parted by blanks. */
static bool number(struct bytes *b, uint64_t *ret)
{
	bool any = false;

	*ret = 0;
	while (b->left > 0 && b->p[0] == ' ')
		bytes_skip(b, 1);
	for (; b->left > 0 && b->p[0] >= '0' && b->p[0] <= '9' && *ret < UINT64_MAX / 100; any = true) {
		*ret = *ret * 10 + b->p[0] - '0';
		bytes_skip(b, 1);
	}
	return any;
}

static void skip_field(struct bytes *b)
{
	while (b->left > 0 && b->p[0] == ' ')
		bytes_skip(b, 1);
	while (b->left > 0 && b->p[0] != ' ')
		bytes_skip(b, 1);
}

int vigil_core(struct bytes text)
{
	uint64_t core;

	bytes_skip(&text, behind_name(text));
	for (unsigned i = 0; i < FIELDS; i++)
		skip_field(&text);
	return number(&text, &core) && core <= INT_MAX ? (int)core : -1;
}

/* One line of /proc/stat: "cpu1 user nice system idle iowait irq softirq ...". */
static bool core_line(struct bytes line, int core, uint64_t *ns)
{
	uint64_t which, ticks, sum = 0;

	if (!bytes_starts(&line, "cpu", 3))
		return false;
	bytes_skip(&line, 3);
	if (line.left == 0 || line.p[0] == ' ' || !number(&line, &which) || which != (uint64_t)core)
		return false;
	for (unsigned field = 0; field < 7; field++) {
		if (!number(&line, &ticks))
			return false;
		if (field != 3 && field != 4) /* at rest */
			sum += ticks;
	}
	*ns = sum * PER_TICK;
	return true;
}

bool vigil_worked(struct bytes text, int core, uint64_t *ns)
{
	while (core >= 0 && text.left > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.left);
		struct bytes line;

		if (end == NULL || !bytes_take(&text, (size_t)(end - text.p), &line))
			return false; /* cut off: its numbers may be */
		bytes_skip(&text, 1);
		if (core_line(line, core, ns))
			return true;
	}
	return false;
}

static struct bytes text_of(int fd, uint8_t *text, size_t size)
{
	ssize_t n = fd >= 0 ? pread(fd, text, size, 0) : 0;

	return bytes_of(text, n > 0 ? (size_t)n : 0);
}

void vigil_begin(struct vigil *v, pid_t pid, int stat, int cores)
{
	*v = (struct vigil){ .pid = pid, .stat = stat, .cores = cores };
	vigil_beat(v);
}

void vigil_beat(struct vigil *v)
{
	v->seen_ns = cpu_ns(v->pid);
	v->ran_ns = v->idle_ns = v->core_ns = 0;
	v->core = -1;
}

/* Its core since the last look; where that cannot be told, it worked as long as the process says that it ran. */
static void look_at_core(struct vigil *v, struct bytes stat, uint64_t ran_ns)
{
	uint8_t text[CORES_TEXT];
	int core = v->cores >= 0 ? vigil_core(stat) : -1;
	uint64_t worked = 0;

	if (core >= 0 && !vigil_worked(text_of(v->cores, text, sizeof(text)), core, &worked))
		core = -1;
	v->core_ns += core >= 0 && core == v->core && worked >= v->worked_ns ? worked - v->worked_ns : ran_ns;
	v->core = core;
	v->worked_ns = worked;
}

static uint64_t at_most(uint64_t ns, uint64_t most)
{
	return ns < most ? ns : most;
}

bool vigil_hung(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns)
{
	uint64_t now = cpu_ns(v->pid), ran;
	uint8_t text[TEXT];
	struct bytes stat = text_of(v->stat, text, sizeof(text));

	if (now < v->seen_ns)
		now = v->seen_ns; /* it is no more; somebody else tells that */
	ran = now - v->seen_ns;
	if (vigil_state(stat) != 'R')
		v->idle_ns += at_most(passed_ns, most_ns);
	else if (ran == 0)
		v->starved_ns += passed_ns;
	v->ran_ns += at_most(ran, most_ns);
	look_at_core(v, stat, at_most(ran, most_ns));
	v->seen_ns = now;
	return at_most(v->ran_ns, v->core_ns + LAG) + v->idle_ns >= limit_ns;
}

bool vigil_still(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns)
{
	uint64_t now = cpu_ns(v->pid);
	uint8_t text[TEXT];
	char state = vigil_state(text_of(v->stat, text, sizeof(text)));

	/* D: the kernel works for it, as on a large batch of rules. */
	if (now > v->seen_ns || state == 'R' || state == 'D')
		vigil_beat(v);
	else
		v->idle_ns += at_most(passed_ns, most_ns);
	return v->idle_ns >= limit_ns;
}
