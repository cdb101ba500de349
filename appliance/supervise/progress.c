/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a question is, to whoever asked it and wanted to hear that. Nothing here waits, and nothing hangs on whether it arrives: a word that finds
 * no room is left out, and the next one says more.
 */
#include "appliance/supervise/supervise.h"

void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said)
{
	const struct msg_body m = { MSG_PROGRESS, .progress = *said };
	const struct slot *mgmt = &s->slots[SLOT_MGMT];
	int fd = -1;

	if (!a->tell)
		return;
	if (a->kind == ASKER_CLIENT)
		fd = control_waiting(s, a);
	else if (a->kind == ASKER_MGMT && slot_alive(mgmt))
		fd = mgmt->chan;
	if (fd >= 0)
		(void)msg_try(fd, a->id, &m);
}

void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage)
{
	progress_tell(s, a, &(struct msg_progress){ .stage = (uint8_t)stage });
}

void progress_heard(struct supervisor *s, const struct slot *sl, const struct msg *m)
{
	const struct operation *op = &s->op;

	if (op->kind != OP_NONE && op->id == m->id)
		progress_tell(s, &op->asker, &m->body.progress);
	else
		collect_progress(s, sl, m);
}
