/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/told.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS_MAX (2 * TOLD_MOST * TOLD_SESSION_BYTES) /* bytes */

_Static_assert(TOLD_JSON_NAMED + TOLD_MOST + 2 < TOLD_JSON_TAKEN, "what is named can be taken");

void told_clear(struct told *t)
{
	json_decref(t->cut);
	json_decref(t->changed);
	free(t->sessions);
	memset(t, 0, sizeof(*t));
}

/* An array, owned by the caller; NULL when it is none. */
static json_t *array_take(int fd)
{
	struct err e;
	uint8_t *text;
	size_t n;
	json_t *j;

	if (memfd_read(fd, TOLD_JSON_TAKEN, &text, &n, &e) < 0)
		return NULL;
	j = json_loadb((const char *)text, n, 0, NULL);
	free(text);
	if (json_is_array(j))
		return j;
	json_decref(j);
	return NULL;
}

static bool sessions_take(int fd, struct told *t)
{
	size_t n = t->n_cut + t->n_changed, size, i = 0;
	uint8_t *p;
	struct bytes b;
	struct err e;

	if (memfd_read(fd, SESSIONS_MAX, &p, &size, &e) < 0)
		return false;
	b = bytes_of(p, size);
	t->sessions = calloc(n + 1, sizeof(*t->sessions));
	while (t->sessions != NULL && i < n && msg_take_told_session(&b, &t->sessions[i]))
		i++;
	free(p);
	return i == n && bytes_done(&b);
}

bool told_take(struct msg *m, struct told *ret)
{
	const struct msg_applied *a = &m->body.applied;

	told_clear(ret);
	if (m->n_fds == 0)
		return true;
	if (m->n_fds != 3)
		return false;
	ret->cut = array_take(m->fds[0]);
	ret->changed = array_take(m->fds[1]);
	ret->n_cut = json_array_size(ret->cut);
	ret->n_changed = json_array_size(ret->changed);
	ret->live = a->live;
	ret->cut_more = a->cut_more;
	ret->changed_more = a->changed_more;
	if (ret->cut != NULL && ret->changed != NULL && sessions_take(m->fds[2], ret))
		return true;
	told_clear(ret);
	return false;
}
