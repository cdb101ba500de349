/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/box/request.h"

#include "mgmt/cli/words/render.h"

json_t *events_page(struct cli *c, const struct event_filter *f, unsigned long long *after, unsigned most,
		    bool *ret_more, int *ret_status)
{
	const struct msg_body question = { MSG_EVENTS, .events = { .after = *after, .most = most, .filter = *f } };
	struct box_answer answer;
	unsigned long long before = *after;
	json_t *list = NULL;

	if (!box_ask(c, &question, &answer, ret_status))
		return NULL;
	if (json_is_array(json_object_get(answer.json, "events")))
		list = json_incref(json_object_get(answer.json, "events"));
	else if (!box_answer_done(c, &answer, ret_status) && *ret_status == CLI_YES)
		list = json_array();
	for (size_t i = 0; i < json_array_size(list); i++)
		if (ju(json_array_get(list, i), "seq") > *after)
			*after = ju(json_array_get(list, i), "seq");
	if (ju(answer.json, "next") > *after)
		*after = ju(answer.json, "next");
	*ret_more = *after > before;
	box_answer_free(&answer);
	return list;
}

bool events_oldest(struct cli *c, json_t **ret, int *ret_status)
{
	unsigned long long after = 0;
	bool more;
	json_t *one = events_page(c, &(struct event_filter){ 0 }, &after, 1, &more, ret_status);

	*ret = one != NULL && json_array_size(one) > 0 ? json_incref(json_array_get(one, 0)) : NULL;
	json_decref(one);
	return one != NULL;
}

/* Searches the whole journal: its order is not that of time if the clock was wrong for a while. */
bool events_each(struct cli *c, const char *since, void (*each)(void *ctx, const json_t *event), void *ctx,
		 int *ret_status)
{
	struct event_filter f = { 0 };
	unsigned long long after = 0;
	bool more = true;

	(void)event_filter_set(&f, FILTER_SINCE, since);
	while (more) {
		json_t *list = events_page(c, &f, &after, EVENTS_PAGE, &more, ret_status);

		if (list == NULL)
			return false;
		json_each(e, list)
			each(ctx, e);
		json_decref(list);
	}
	return true;
}

struct wanted {
	const char *kind;
	json_t *found;
};

static void keep_event(void *ctx, const json_t *event)
{
	struct wanted *w = ctx;

	if (w->kind == NULL || js_is(event, "kind", w->kind))
		(void)json_array_append_new(w->found, json_deep_copy(event));
}

json_t *events_since(struct cli *c, const char *since, const char *kind, int *ret_status)
{
	struct wanted w = { kind, json_array() };

	if (events_each(c, since, keep_event, &w, ret_status))
		return w.found;
	json_decref(w.found);
	return NULL;
}
