/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho events`: what the journal recorded, oldest first. Without --after the last ones; --follow waits for more and
 * ends by a signal, or when its reader goes away.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "mgmt/cli/event_text.h"
#include "mgmt/cli/render.h"
#include "mgmt/cli/request.h"
#include "mgmt/cli/verbs.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 1000000
#define POLL_MS 200
#define WAIT_S 30

enum { OPT_FOLLOW, OPT_AFTER, OPT_LIMIT, OPT_N };

static const struct cli_option options[OPT_N] = {
	[OPT_FOLLOW] = { "--follow", 'f', NULL, M_EVENTS_OPT_FOLLOW },
	[OPT_AFTER] = { "--after", 0, "SEQ", M_EVENTS_OPT_AFTER },
	[OPT_LIMIT] = { "--limit", 'n', "N", M_EVENTS_OPT_LIMIT },
};

static void print_event(struct cli *c, const json_t *e)
{
	char *line;

	if (c->json) {
		json_line(c->out, json_deep_copy(e));
		return;
	}
	line = event_line(e, c->lang);
	fprintf(c->out, "%s\n", line != NULL ? line : "");
	free(line);
}

/*
 * One page: at most `most` events after *after, which moves. The count into *ret_n. False when the verb ends with
 * *ret_status.
 */
static bool one_page(struct cli *c, unsigned long long *after, unsigned long long most, unsigned long long *ret_n,
		     int *ret_status)
{
	uint8_t space[12];
	struct outbuf body = outbuf_of(space, sizeof(space));
	struct box_answer answer;
	const json_t *list, *next;
	bool json = c->json, done;

	*ret_n = 0;
	out_be64(&body, *after);
	out_be32(&body, (uint32_t)most);
	if (!box_request(c, MSG_CTL_EVENTS, &body, NULL, 0, WAIT_S, &answer, ret_status))
		return false;
	c->json = json && json_object_get(answer.json, "events") == NULL;
	done = box_answer_done(c, &answer, ret_status);
	c->json = json;
	if (!done) {
		list = json_object_get(answer.json, "events");
		next = json_object_get(answer.json, "next");
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *e = json_array_get(list, i);

			print_event(c, e);
			if (ju(e, "seq") > *after)
				*after = ju(e, "seq");
		}
		if (json_is_integer(next) && ju(answer.json, "next") > *after)
			*after = ju(answer.json, "next");
		*ret_n = json_array_size(list);
	}
	box_answer_free(&answer);
	return !done && *ret_status == CLI_YES;
}

/* The sequence number after which the last `limit` events stand. */
static bool start_of_last(struct cli *c, unsigned long long limit, unsigned long long *ret, int *ret_status)
{
	struct box_answer answer;
	unsigned long long records;

	if (!box_request(c, MSG_CTL_STATUS, NULL, NULL, 0, WAIT_S, &answer, ret_status))
		return false;
	records = ju(json_object_get(answer.json, "journal"), "records");
	*ret = records > limit ? records - limit : 0;
	box_answer_free(&answer);
	return true;
}

/* Waits a little; false when nobody reads our output any more. */
static bool wait_for_more(struct cli *c)
{
	struct pollfd p = { .fd = fileno(c->out), .events = 0 };

	if (fflush(c->out) != 0)
		return false;
	return poll(&p, 1, POLL_MS) == 0 || (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

static int run(struct cli *c, const struct cli_args *a)
{
	unsigned long long limit = LIMIT_DEFAULT, after = 0, left, got = 0;
	bool follow = a->values[OPT_FOLLOW] != NULL;
	int status = CLI_YES;

	if (a->values[OPT_LIMIT] != NULL && (!cli_number(a->values[OPT_LIMIT], LIMIT_MAX, &limit) || limit == 0))
		return cli_fail(c, CLI_INVALID, M_EVENTS_LIMIT, a->values[OPT_LIMIT], LIMIT_MAX);
	if (a->values[OPT_AFTER] != NULL) {
		if (!cli_number(a->values[OPT_AFTER], UINT64_MAX, &after))
			return cli_fail(c, CLI_INVALID, M_EVENTS_AFTER, a->values[OPT_AFTER]);
	} else if (!start_of_last(c, limit, &after, &status)) {
		return status;
	}
	/* The box sends a page at a time, of a size of its own choice. */
	for (left = limit; left > 0; left -= got < left ? got : left) {
		if (!one_page(c, &after, left, &got, &status))
			return status;
		if (got == 0)
			break;
	}
	while (follow && wait_for_more(c))
		if (!one_page(c, &after, LIMIT_DEFAULT, &got, &status))
			return status;
	return CLI_YES;
}

const struct cli_verb verb_events = {
	.name = "events",
	.group = CLI_ON_BOX,
	.operands = "",
	.options = options,
	.n_options = OPT_N,
	.summary = M_EVENTS_SUMMARY,
	.text = M_EVENTS_TEXT,
	.run = run,
};
