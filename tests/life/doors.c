/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the role enforce that is about doors: its own files, over a kernel that is the
 * machine.
 */
#include <string.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/base/memfd.h"
#include "appliance/enforce/door_book.h"
#include "appliance/enforce/enforce.h"
#include "tests/life/machine.h"
#include "tests/life/policies.h"
#include "tests/life/processes.h"
#include "tests/life/processes_private.h"

static struct enforce enforce = { .events = { .fd = -1 } };
static struct generation_held held;

void doors_begin(int events)
{
	doors_end();
	enforce = (struct enforce){ .events = { .fd = events }, .waits = true };
}

void doors_end(void)
{
	json_decref(enforce.doors.list);
	arena_free(held.arena);
	if (enforce.events.fd >= 0)
		close(enforce.events.fd);
	enforce = (struct enforce){ .events = { .fd = -1 } };
	held = (struct generation_held){ .arena = NULL };
}

/* The machine has one door. */
void enforce_waits_due(struct enforce *f)
{
	if (!f->waits_due || f->now == NULL)
		return;
	f->waits_due = false;
	machine.gate_open = 0;
	for (uint32_t i = 0; i < f->now->ir.n_doors && !f->waits; i++)
		if (door_until(f->doors.list, &f->now->ir.doors[i]) > machine.gate_open)
			machine.gate_open = door_until(f->doors.list, &f->now->ir.doors[i]);
}

/* The rules of this generation are loaded. */
void doors_apply(struct bytes sealed)
{
	struct err e;

	enforce.now = NULL;
	arena_free(held.arena);
	held.arena = arena_new(GENERATION_BYTES_MOST);
	if (held.arena == NULL || ir_unseal(sealed, held.arena, &held.ir, &e) < 0)
		return;
	enforce.now = &held;
	enforce.waits_due = true;
	enforce_waits_due(&enforce);
}

/* Instead of the list that an order has changed. */
static bool too_long(struct process *p, uint32_t id)
{
	static const uint8_t list[(1u << 20) + 1];
	int fd = memfd_sealed("doors", list, sizeof(list));
	bool sent = fd >= 0 && msg_send(p->chan, id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	return sent;
}

bool doors_hear(struct process *p, struct msg *m)
{
	enforce.control = p->chan;
	switch ((unsigned)m->body.type) {
	case MSG_IN_FORCE:
		enforce.events.now = m->body.in_force.now;
		return true;
	case MSG_CLOCK:
		enforce.waits = m->body.clock.waits != 0;
		enforce.waits_due = true;
		enforce_waits_due(&enforce);
		return true;
	case MSG_DOOR:
		return processes.doors_too_long ? too_long(p, m->id) : enforce_door(&enforce, m);
	default:
		return enforce_doors(&enforce, m->id, m->fds[0]);
	}
}

void doors_turn(struct process *p)
{
	enforce.control = p->chan;
	enforce_doors_due(&enforce);
}
