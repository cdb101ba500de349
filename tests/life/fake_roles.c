/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces what the folders of the roles open and read for the supervisor, and its sandbox, which
 * would otherwise apply to the test.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include "appliance/enforce/look.h"
#include "appliance/enforce/sockets.h"
#include "appliance/gate/reset.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/role/outstanding.h"
#include "appliance/role/sandbox.h"
#include "appliance/role/who.h"
#include "appliance/tap/tap.h"
#include "appliance/worker/queue.h"
#include "tests/life/machine.h"
#include "tests/life/policies.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_one(const char *what, struct err *e)
{
	return machine_call(what, e) < 0 ? e->code : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int enforce_socket_open(bool monitor, struct err *e)
{
	return open_one(monitor ? "hear of rules" : "ask the kernel", e);
}

bool enforce_socket_here(int fd)
{
	(void)fd;
	return false;
}

int enforce_socket_ignore(int monitor, uint32_t portid, struct err *e)
{
	(void)portid;
	machine.monitor = monitor;
	return machine_call("hear of others' changes", e);
}

bool enforce_socket_touched(int monitor)
{
	uint64_t n;

	return read(monitor, &n, sizeof(n)) == sizeof(n);
}

int reset_socket_open(int family, struct err *e)
{
	(void)family;
	return open_one("socket for resets", e);
}

int session_probe_open(struct err *e)
{
	return open_one("socket for questions about sessions", e);
}

int tap_open(struct err *e)
{
	return open_one("socket of the tap", e);
}

int tap_sessions_open(struct err *e)
{
	return open_one("hear of sessions", e);
}

int tap_neighbours_open(struct err *e)
{
	return open_one("hear of neighbours", e);
}

int tap_sessions_hear(int fd, bool on, struct err *e)
{
	(void)fd, (void)on, (void)e;
	return 0;
}

int tap_sessions_heard(int fd)
{
	(void)fd;
	return 0;
}

int queue_open(uint32_t lane, uint8_t slots, const struct queue_rule *rule, struct err *e)
{
	(void)lane, (void)slots, (void)rule;
	return open_one("open a queue", e);
}

int queue_ready(struct err *e)
{
	return machine_call("queues", e);
}

int outstanding_read(int fd, struct queue_state *ret, size_t max)
{
	(void)fd, (void)max;
	ret[0] = machine.queue;
	return machine.queue.queue != 0;
}

/* ---- what stands without a daemon ------------------------------------------------------------ */

struct enforce_look *enforce_look_open(struct err *e)
{
	return machine_call("look at the rules", e) < 0 ? NULL : (struct enforce_look *)&machine;
}

void enforce_look_close(struct enforce_look *l)
{
	(void)l;
}

int enforce_look_names(struct enforce_look *l, const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e)
{
	(void)l, (void)p, (void)n_sealed, (void)n_map, (void)e;
	return 0;
}

void enforce_look_used(struct enforce_look *l, const uint8_t *p, size_t n)
{
	(void)l, (void)p, (void)n;
}

int enforce_look_base(struct enforce_look *l, bool *ret, struct err *e)
{
	(void)l, (void)e;
	*ret = machine.base;
	return 0;
}

bool enforce_look_forwarding(const struct enforce_look *l)
{
	(void)l;
	return machine.forwarding;
}

int enforce_look_ends(struct enforce_look *l, bool *ret_open, bool *ret_closed, struct err *e)
{
	(void)l, (void)e;
	*ret_open = *ret_closed = false;
	return 0;
}

/* The table says which generation its rules belong to. */
json_t *enforce_look_status(struct enforce_look *l, struct err *e)
{
	(void)l, (void)e;
	for (unsigned i = 0; i < POLICIES_KNOWN; i++)
		if (memcmp(compiled[i].digest, machine.digest, 32) == 0)
			return json_pack("{s:{s:o}}", "kernel", "digest", json_hex(compiled[i].generation, 32));
	return json_object();
}

json_t *enforce_look_effective(struct enforce_look *l, struct err *e)
{
	(void)l, (void)e;
	return json_object();
}

/* ---- the clock ------------------------------------------------------------------------------- */

enum clock_sync clock_synchronised(void)
{
	return machine.sync;
}

bool clock_error(uint64_t *ret_us)
{
	*ret_us = 310;
	return machine.sync == CLOCK_SYNC_YES;
}

int clock_battery_open(void)
{
	return -1;
}

bool clock_battery(int fd, uint64_t *ret_s)
{
	(void)fd;
	*ret_s = machine.battery_s;
	return machine.battery_s != 0;
}

/* ---- who one is ------------------------------------------------------------------------------ */

int sandbox_supervisor(const int *folders, size_t n, struct err *e)
{
	(void)folders, (void)n;
	return machine_call("sandbox", e);
}

int sandbox_enter(enum role r, struct err *e)
{
	return machine_call(role_name(r), e);
}

uint32_t sandbox_cores(void)
{
	return 2;
}

void who_name(pid_t pid, uid_t uid, char *out, size_t size)
{
	(void)pid, (void)uid;
	snprintf(out, size, "kaki");
}

uint32_t who_typed(pid_t pid, uid_t uid)
{
	(void)pid;
	return uid;
}
