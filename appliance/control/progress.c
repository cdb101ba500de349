/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress reports for an asker who wanted them. Nothing here waits, and nothing depends on their
 * arrival: a report that finds no room is dropped, and the next one says more.
 */
#include "appliance/control/client.h"
#include "appliance/control/control.h"

/* The descriptor of a client that still waits for this answer; -1 = it does not. */
static int waiting(const struct control *s, const struct asker *a)
{
	const struct client *c = &s->clients[a->client];

	return c->fd >= 0 && c->serial == a->serial && c->waiting ? c->fd : -1;
}

void progress_to(struct control *s, const struct asker *a, const struct msg_progress *said)
{
	const struct msg_body m = { MSG_PROGRESS, .progress = *said };
	int fd = -1;

	if (!a->tell)
		return;
	if (a->kind == ASKER_CLIENT)
		fd = waiting(s, a);
	else if (a->kind == ASKER_MGMT)
		fd = s->web;
	if (fd >= 0)
		(void)msg_try(fd, a->id, &m);
}

void progress_stage_to(struct control *s, const struct asker *a, enum progress_stage stage)
{
	progress_to(s, a, &(struct msg_progress){ .stage = (uint8_t)stage });
}
