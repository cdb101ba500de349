/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho flows`: the present sessions of connection tracking, their ends and conduits. Past and
 * refused traffic is in `events`.
 */
#include "appliance/base/addr.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/answer.h"
#include "mgmt/words/event.h"

#define LIMIT_DEFAULT 100u

/* Reads the filter; false with *ret_status for an invalid one. */
static bool take(struct cli *c, const struct cli_args *a, struct msg_flows *ret, int *ret_status)
{
	static const enum event_filter_key keys[OPT_FLOWS_LIMIT] = {
		[OPT_FLOWS_CONDUIT] = FILTER_CONDUIT,
		[OPT_FLOWS_ZONE] = FILTER_ZONE,
		[OPT_FLOWS_ASSET] = FILTER_ASSET,
		[OPT_FLOWS_HOST] = FILTER_HOST,
	};
	const char *limit = a->values[OPT_FLOWS_LIMIT], *host = a->values[OPT_FLOWS_HOST];
	unsigned long long most = LIMIT_DEFAULT;
	struct addr_range r;
	bool stray, fits = true;

	if (limit != NULL && (!cli_number(limit, FLOWS_MOST, &most) || most == 0)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_LIMIT, limit, FLOWS_MOST);
		return false;
	}
	if (host != NULL && !prefix_parse(host, &r, &stray) && !stray) {
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_HOST, host);
		return false;
	}
	ret->most = (uint32_t)most;
	for (size_t i = 0; i < OPT_FLOWS_LIMIT; i++)
		if (a->values[i] != NULL)
			fits = event_filter_set(&ret->filter, keys[i], a->values[i]) && fits;
	if (!fits)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_LONG);
	return fits;
}

static int print_answer(struct cli *c, const json_t *answer, int status)
{
	static const struct answer_row rows[] = {
#define ROWS_FLOWS
#include "mgmt/cli/verbs/answers.def"
	};
	json_t *sorted = json_copy((json_t *)(uintptr_t)answer);

	(void)json_object_set_new(sorted, "flows", flows_sorted(ja(answer, "flows")));
	answer_print(c, rows, sorted);
	json_decref(sorted);
	return status;
}

int verb_flows(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { MSG_FLOWS, .flows = { .most = 0 } };
	int status;

	return take(c, a, &question.flows, &status) ? box_tell(c, &question, print_answer) : status;
}
