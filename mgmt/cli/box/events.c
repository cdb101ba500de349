/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/request.h"

#include "appliance/wire/event_filter.h"
#include "mgmt/cli/words/render.h"

#define PAGE 1000u
#define WAIT_S 30u

/*
 * At most `most` events after *after, from `since` on (NULL = any); *after moves to where the
 * journal has searched. The caller owns the array; NULL when the verb ends with *ret_status.
 */
static json_t *page(struct cli *c, const char *since, unsigned long long *after, unsigned most, int *ret_status)
{
	struct msg_body question = { MSG_EVENTS, .events = { .after = *after, .most = most } };
	struct box_answer answer;
	json_t *list = NULL;

	if (since != NULL)
		(void)event_filter_set(&question.events.filter, FILTER_SINCE, since);
	if (!box_request(c, &question, NULL, 0, WAIT_S, &answer, ret_status))
		return NULL;
	if (json_is_array(json_object_get(answer.json, "events")))
		list = json_incref(json_object_get(answer.json, "events"));
	else if (!box_answer_done(c, &answer, ret_status))
		list = json_array();
	if (ju(answer.json, "next") > *after)
		*after = ju(answer.json, "next");
	box_answer_free(&answer);
	return list;
}

bool events_oldest(struct cli *c, json_t **ret, int *ret_status)
{
	unsigned long long after = 0;
	json_t *one = page(c, NULL, &after, 1, ret_status);

	*ret = one != NULL && json_array_size(one) > 0 ? json_incref(json_array_get(one, 0)) : NULL;
	json_decref(one);
	return one != NULL;
}

/* Searches the whole journal: its order is not that of time if the clock was wrong for a while. */
bool events_each(struct cli *c, const char *since, void (*each)(void *ctx, const json_t *event), void *ctx,
		 int *ret_status)
{
	unsigned long long after = 0, before;

	do {
		json_t *list, *e;
		size_t i;

		before = after;
		list = page(c, since, &after, PAGE, ret_status);
		if (list == NULL)
			return false;
		json_array_foreach(list, i, e)
		{
			each(ctx, e);
		}
		json_decref(list);
	} while (after > before);
	return true;
}

struct wanted {
	const char *kind;
	json_t *found;
};

static void keep(void *ctx, const json_t *event)
{
	struct wanted *w = ctx;

	if (w->kind == NULL || strcmp(js(event, "kind"), w->kind) == 0)
		(void)json_array_append_new(w->found, json_deep_copy(event));
}

json_t *events_since(struct cli *c, const char *since, const char *kind, int *ret_status)
{
	struct wanted w = { kind, json_array() };

	if (events_each(c, since, keep, &w, ret_status))
		return w.found;
	json_decref(w.found);
	return NULL;
}
