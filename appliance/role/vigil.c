/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/vigil.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TEXT 256 /* bytes: the state follows a name of at most 16 bytes */

/*
 * The processor time of all threads of another process. The clock's number is computed by the
 * kernel's rule, because the C library gives it only for processes that the caller may inspect.
 * Read from another core, this clock moves only with the ticks of the process's core. While a
 * virtual machine does not run that core, it stands still.
 */
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

char vigil_state(struct bytes text)
{
	size_t at = text.left;

	/* A process name may have any character, even ')'. So its end is the last ')'. */
	while (at > 0 && text.p[at - 1] != ')')
		at--;
	return at > 0 && at + 1 < text.left && text.p[at] == ' ' ? (char)text.p[at + 1] : 0;
}

static char state_of(const struct vigil *v)
{
	uint8_t text[TEXT];
	ssize_t n = v->stat >= 0 ? pread(v->stat, text, sizeof(text), 0) : 0;

	return n > 0 ? vigil_state(bytes_of(text, (size_t)n)) : 0;
}

void vigil_begin(struct vigil *v, pid_t pid, int stat)
{
	*v = (struct vigil){ .pid = pid, .stat = stat };
	vigil_beat(v);
}

void vigil_beat(struct vigil *v)
{
	v->seen_ns = cpu_ns(v->pid);
	v->ran_ns = v->idle_ns = 0;
}

static uint64_t at_most(uint64_t ns, uint64_t most)
{
	return ns < most ? ns : most;
}

bool vigil_hung(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns)
{
	uint64_t now = cpu_ns(v->pid), ran;

	if (now < v->seen_ns)
		/* the process does not exist any more; another part reports that */
		now = v->seen_ns;
	ran = now - v->seen_ns;
	if (state_of(v) != 'R')
		v->idle_ns += at_most(passed_ns, most_ns);
	else if (ran == 0)
		v->starved_ns += passed_ns;
	v->ran_ns += at_most(ran, most_ns);
	v->seen_ns = now;
	return v->ran_ns + v->idle_ns >= limit_ns;
}

bool vigil_still(struct vigil *v, uint64_t passed_ns, uint64_t most_ns, uint64_t limit_ns)
{
	uint64_t now = cpu_ns(v->pid);
	char state = state_of(v);

	/* State D: the kernel works for the process, for example on a large batch of rules. */
	if (now > v->seen_ns || state == 'R' || state == 'D')
		vigil_beat(v);
	else
		v->idle_ns += at_most(passed_ns, most_ns);
	return v->idle_ns >= limit_ns;
}
