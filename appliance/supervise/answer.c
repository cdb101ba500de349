/* SPDX-License-Identifier: Apache-2.0 */
/* What those hear who ordered something, by way of control. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "appliance/supervise/supervise.h"

void answer_fd(struct supervisor *s, struct asker a, int status, int fd)
{
	const struct msg_body m = { MSG_ANSWER, .answer = { .status = (uint8_t)status } };

	if (a.id != 0)
		(void)role_send(s, &s->slots[SLOT_CONTROL], a.id, &m, &fd, fd >= 0 ? 1 : 0);
}

void answer_json(struct supervisor *s, struct asker a, int status, json_t *j)
{
	int fd = j != NULL ? json_memfd(j) : -ENOMEM;

	answer_fd(s, a, fd < 0 && status == ANSWER_YES ? ANSWER_CANNOT : status, fd);
	if (fd >= 0)
		close(fd);
}

void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said)
{
	const struct msg_body m = { MSG_PROGRESS, .progress = *said };
	const struct slot *control = &s->slots[SLOT_CONTROL];

	if (a->tell && a->id != 0 && slot_alive(control))
		(void)msg_try(control->chan, a->id, &m);
}

void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage)
{
	progress_tell(s, a, &(struct msg_progress){ .stage = (uint8_t)stage });
}
