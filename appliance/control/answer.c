/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending answers. An answer is queued here, and the loop sends all of them once a turn
 * (people.c). So the handler of an answer never runs inside its sender, and may begin the next
 * request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/control/answer.h"
#include "appliance/control/control.h"

static void spare_answer(struct control *s, struct answer *a)
{
	a->next = s->spare_answers;
	s->spare_answers = a;
}

int answer_open(struct control *s, struct err *e)
{
	for (unsigned i = 0; i < ANSWERS_SPARE; i++) {
		struct answer *a = malloc(sizeof(*a));

		if (a == NULL)
			return err_set(e, -ENOMEM, "answers");
		spare_answer(s, a);
	}
	return 0;
}

/* Takes over what `a` owns. */
static void put_answer(struct control *s, struct answer a)
{
	struct answer *on = s->spare_answers;

	if (on != NULL)
		s->spare_answers = on->next;
	else
		on = malloc(sizeof(*on));
	if (on == NULL) {
		answer_free(&a);
		return;
	}
	*on = a;
	on->next = NULL;
	*(s->answers_last != NULL ? &s->answers_last->next : &s->answers) = on;
	s->answers_last = on;
}

void respond_fd(struct control *s, struct asker a, int status, int fd)
{
	if (a.kind != ASKER_NONE)
		put_answer(s, (struct answer){
				      .to = a, .status = status, .fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1 });
}

void respond_json(struct control *s, struct asker a, int status, json_t *j)
{
	if (a.kind != ASKER_NONE)
		put_answer(s, (struct answer){ .to = a, .status = status, .fd = -1, .json = j, .of_json = true });
	else
		json_decref(j);
}

bool answer_take(struct control *s, struct answer *ret)
{
	struct answer *first = s->answers;

	if (first == NULL)
		return false;
	s->answers = first->next;
	if (s->answers == NULL)
		s->answers_last = NULL;
	*ret = *first;
	spare_answer(s, first);
	return true;
}

void answer_forget_web(struct control *s)
{
	for (struct answer *a = s->answers; a != NULL; a = a->next)
		if (a->to.kind == ASKER_MGMT)
			a->to.kind = ASKER_NONE;
}

bool answer_take_last(struct control *s, struct answer *ret)
{
	struct answer *last = s->answers_last, **at = &s->answers, *before = NULL;

	if (last == NULL)
		return false;
	for (; *at != last; at = &(*at)->next)
		before = *at;
	*at = NULL;
	s->answers_last = before;
	*ret = *last;
	spare_answer(s, last);
	return true;
}

int answer_pack(struct answer *a)
{
	if (!a->of_json)
		return a->status;
	a->fd = a->json != NULL ? json_memfd(a->json) : -ENOMEM;
	a->json = NULL; /* the answer took its reference */
	a->of_json = false;
	return a->fd < 0 && a->status == ANSWER_YES ? ANSWER_CANNOT : a->status;
}

void answer_free(struct answer *a)
{
	json_decref(a->json);
	if (a->fd >= 0)
		close(a->fd);
}

bool asker_is(const struct asker *a, const struct asker *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ASKER_MGMT)
		return a->id == b->id;
	return (a->kind == ASKER_CLIENT || a->kind == ASKER_CHANGE) && a->client == b->client && a->serial == b->serial;
}
