/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doors that people open (door_book.h): their orders, and what follows by the clock. The supervisor
 * keeps the list on the disk. A person's change is first sent to the supervisor, and takes effect
 * when the supervisor has sent it back. So no door is open of which the next daemon would not know.
 * An open door reaches the kernel in the same way as scheduled hours (policy/ir/moment.h): its
 * elements have an end.
 */
#include <stdlib.h>
#include <unistd.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/apply.h"
#include "appliance/enforce/door_book.h"
#include "appliance/enforce/doors.h"
#include "appliance/enforce/enforce.h"
#include "appliance/enforce/generation.h"
#include "appliance/wire/judged.h"
#include "appliance/wire/msg_json.h"

#define LIST_MOST (1u << 20) /* bytes */
/* A changed list that has not come back after this time counts as lost, and other orders are
 * accepted again. The person gets an answer earlier (supervise/orders.c). */
#define BACK_NS 10000000000ull

static bool is_under_way(const struct enforce *f)
{
	return clock_mono().ns < f->doors.sent_until;
}

static struct door_scene scene_of(struct enforce *f)
{
	return (struct door_scene){ .ir = &f->now->ir,
				    .number = f->roles.events.now.number,
				    .trusted = !f->timing.waits,
				    .busy = is_under_way(f),
				    .events = &f->roles.events };
}

/* Sends the list to the supervisor. Takes over the reference. */
static bool hand_in(struct enforce *f, uint32_t id, json_t *list)
{
	int fd = json_memfd(list);
	bool sent = fd >= 0 && msg_send(f->roles.control, id, &(struct msg_body){ .type = MSG_DOORS }, &fd, 1) == 0;

	if (fd >= 0)
		close(fd);
	return sent;
}

static bool answer_refused(struct enforce *f, uint32_t id, const struct sentence *why)
{
	return msg_answer(f->roles.control, id, ANSWER_CANNOT,
			  json_pack("{s:b, s:o}", "done", 0, "error", sentence_json(why))) == 0;
}

bool enforce_door(struct enforce *f, const struct msg *m)
{
	struct sentence why = { 0 };
	struct door_scene scene;
	enum door_done done;
	json_t *list, *said;

	if (f->now == NULL) {
		sentence_say(&why, M_ENFORCE_NOT_YET);
		return answer_refused(f, m->id, &why);
	}
	scene = scene_of(f);
	said = json_of_memfd(m->n_fds > 0 ? m->fds[0] : -1, WHO_MOST);
	scene.openers = json_object_get(said, "openers");
	list = json_deep_copy(f->doors.list);
	done = door_ordered(list, &scene, &m->body.door, &why);
	json_decref(said);
	if (done == DOOR_VOID) {
		json_decref(f->doors.list);
		f->doors.list = json_incref(list);
		(void)hand_in(f, 0, list);
		return answer_refused(f, m->id, &why);
	}
	if (done == DOOR_REFUSED) {
		json_decref(list);
		return answer_refused(f, m->id, &why);
	}
	f->doors.asked = done == DOOR_ASKED;
	if (hand_in(f, m->id, list)) {
		f->doors.sent_until = clock_mono().ns + BACK_NS;
		return true;
	}
	sentence_say(&why, M_CONTROL_MANY);
	return answer_refused(f, m->id, &why);
}

/* Brings the kernel up to date. False: the next look tries again. */
static bool reaches(struct enforce *f)
{
	f->timing.waits_due = f->timing.waits_due || (!f->timing.waits && f->now != NULL);
	enforce_waits_due(f);
	return !f->timing.waits_due;
}

bool enforce_doors(struct enforce *f, uint32_t id, int fd)
{
	json_t *list = json_of_memfd(fd, LIST_MOST);
	struct sentence why = { 0 };
	bool asked = f->doors.asked, there;

	if (!json_is_array(list)) {
		json_decref(list);
		return false;
	}
	json_decref(f->doors.list);
	f->doors.list = list;
	f->doors.sent_until = 0;
	f->doors.asked = false;
	there = asked || reaches(f);
	if (id == 0)
		return true;
	if (there)
		/* control fills in "doors" and "saved": what it is told of the doors, and whether
		 * they are on the disk */
		return msg_answer(f->roles.control, id, ANSWER_YES,
				  asked ? json_pack("{s:b, s:b, s:n, s:n}", "done", 1, "waits", 1, "saved", "doors")
					: json_pack("{s:b, s:n, s:n}", "done", 1, "saved", "doors")) == 0;
	sentence_say(&why, M_DOOR_KERNEL);
	return answer_refused(f, id, &why);
}

void enforce_doors_due(struct enforce *f)
{
	uint64_t now = clock_wall_s();
	struct door_scene scene;

	/* a door ends at a full second */
	if (now == f->doors.looked_s || f->now == NULL || f->timing.waits || is_under_way(f) ||
	    json_array_size(f->doors.list) == 0)
		return;
	f->doors.looked_s = now;
	scene = scene_of(f);
	if (!doors_follow(f->doors.list, &scene))
		return;
	(void)hand_in(f, 0, json_incref(f->doors.list));
	(void)reaches(f);
}

void enforce_doors_end(struct enforce *f)
{
	json_decref(f->doors.list);
}
