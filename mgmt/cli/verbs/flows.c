/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho flows`: the present sessions of connection tracking, their ends and conduits. Past and
 * refused traffic is in `events`.
 */
#include "appliance/base/addr.h"
#include "appliance/wire/msg.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/screen/table.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/words/event.h"

#define LIMIT_DEFAULT 100u

enum { OPT_CONDUIT, OPT_ZONE, OPT_ASSET, OPT_HOST, OPT_LIMIT, OPT_N };

const struct cli_option options_flows[OPT_N + 1] = {
	[OPT_CONDUIT] = { "--conduit", 0, "NAME", M_FLOWS_OPT_CONDUIT },
	[OPT_ZONE] = { "--zone", 0, "NAME", M_FLOWS_OPT_ZONE },
	[OPT_ASSET] = { "--asset", 0, "NAME", M_FLOWS_OPT_ASSET },
	[OPT_HOST] = { "--host", 0, "ADDRESS", M_FLOWS_OPT_HOST },
	[OPT_LIMIT] = { "--limit", 'n', "N", M_FLOWS_OPT_LIMIT },
};

static void print(struct cli *c, const json_t *list)
{
	static const enum message heads[] = { M_COL_CONDUIT, M_FLOWS_COL_CLIENT, M_FLOWS_COL_SERVER,
					      M_FLOWS_COL_TRANSPORT, M_COL_STATE };
	json_t *sorted = flows_sorted(list);
	char client[EVENT_END_TEXT], server[EVENT_END_TEXT];
	struct table *t = table_headed(5, 0, c->lang, heads);

	json_each(f, sorted) {
		event_end(f, "client", client);
		event_end(f, "server", server);
		table_cell(t, *js(f, "conduit") != '\0' ? js(f, "conduit") : "-");
		table_cell(t, client);
		table_cell(t, server);
		table_cell(t, js(f, "transport"));
		table_cell(t, word_text("flow", js(f, "state"), c->lang));
	}
	(void)table_end(t, c->out, c->color);
	json_decref(sorted);
}

/* Reads the filter; false with *ret_status for an invalid one. */
static bool take(struct cli *c, const struct cli_args *a, struct msg_flows *ret, int *ret_status)
{
	static const enum event_filter_key keys[OPT_LIMIT] = {
		[OPT_CONDUIT] = FILTER_CONDUIT,
		[OPT_ZONE] = FILTER_ZONE,
		[OPT_ASSET] = FILTER_ASSET,
		[OPT_HOST] = FILTER_HOST,
	};
	const char *limit = a->values[OPT_LIMIT], *host = a->values[OPT_HOST];
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
	for (size_t i = 0; i < OPT_LIMIT; i++)
		if (a->values[i] != NULL)
			fits = event_filter_set(&ret->filter, keys[i], a->values[i]) && fits;
	if (!fits)
		*ret_status = cli_fail(c, CLI_INVALID, M_EVENTS_LONG);
	return fits;
}

static int print_answer(struct cli *c, const json_t *answer, int status)
{
	const json_t *list = ja(answer, "flows");
	unsigned long long n = json_array_size(list), matching = ju(answer, "matching");

	if (n < matching)
		render_line(c, M_FLOWS_SOME, n, matching, ju(answer, "tracked"));
	else
		render_line(c, M_FLOWS_ALL, matching, ju(answer, "tracked"));
	if (n > 0)
		print(c, list);
	return status;
}

int verb_flows(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { MSG_FLOWS, .flows = { .most = 0 } };
	int status;

	return take(c, a, &question.flows, &status) ? box_tell(c, &question, print_answer) : status;
}
