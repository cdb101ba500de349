/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/memfd.h"
#include "appliance/store/listed.h"
#include "appliance/supervise/supervise.h"

#include <unistd.h>

#define NAME "doors"
#define AGAIN_NS (5 * SECOND)
#define LIST_MOST (1u << 20) /* bytes */

static void save(struct supervisor *s)
{
	s->doors.unsaved = !listed_save(s->state_fd, NAME, s->doors.list);
	s->doors.again = mono_ns() + AGAIN_NS;
}

void doors_open(struct supervisor *s)
{
	s->doors.list = listed_read(s->state_fd, NAME, DOORS_OPEN);
	if (s->doors.list != NULL)
		return;
	s->doors.list = json_array();
	say(s, M_DOOR_DAMAGED);
}

void doors_give(struct supervisor *s, uint32_t id)
{
	int fd = json_memfd(json_incref(s->doors.list));

	if (fd < 0)
		return;
	(void)role_send(s, &s->slots[SLOT_ENFORCE], id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1);
	close(fd);
}

bool doors_told(struct supervisor *s, struct msg *m)
{
	json_t *list = json_of_memfd(m->fds[0], LIST_MOST);

	if (!json_is_array(list) || json_array_size(list) > DOORS_OPEN) {
		json_decref(list);
		return false;
	}
	json_decref(s->doors.list);
	s->doors.list = list;
	save(s);
	facts_tell(s);
	if (m->id != 0)
		doors_give(s, m->id);
	return true;
}

void doors_due(struct supervisor *s, uint64_t now)
{
	if (now >= doors_next(s))
		save(s);
}

uint64_t doors_next(const struct supervisor *s)
{
	return s->doors.unsaved ? s->doors.again : UINT64_MAX;
}
