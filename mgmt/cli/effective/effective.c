/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho effective`: what the box enforces, for an auditor. For each conduit: who answers for it,
 * which packets pass (cells and counters of the kernel) and which commands (the workers' tables).
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/effective/effective.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/picture/picture.h"

static void print_picture(struct cli *c, const json_t *effective, int *ret_status)
{
	char *svg = picture_svg(effective, c->lang);

	if (svg != NULL)
		fputs(svg, c->out);
	else
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	free(svg);
}

bool effective_ask(struct cli *c, uint64_t at, struct box_answer *ret, bool *ret_standing, int *ret_status)
{
	const struct msg_body question = { MSG_EFFECTIVE, .effective = { .at = at } };

	*ret_standing = at == 0 && alone_wanted(c);
	return *ret_standing ? alone_request(c, "effective", ret, ret_status)
			     : box_request_long(c, &question, NULL, 0, 60, ret, ret_status);
}

int verb_effective(struct cli *c, const struct cli_args *a)
{
	const struct effective_filter f = { .conduit = a->values[OPT_EFFECTIVE_CONDUIT],
					    .zone = a->values[OPT_EFFECTIVE_ZONE],
					    .asset = a->values[OPT_EFFECTIVE_ASSET],
					    .host = a->values[OPT_EFFECTIVE_HOST] };
	bool wanted = f.conduit != NULL || f.zone != NULL || f.asset != NULL || f.host != NULL;
	const char *form = a->values[OPT_EFFECTIVE_TO], *missing = NULL;
	struct box_answer answer;
	bool standing;
	int status;

	if (form != NULL && strcmp(form, "text") != 0 && strcmp(form, "json") != 0)
		return cli_fail(c, CLI_INVALID, M_EFFECTIVE_FORM, form);
	if (f.host != NULL && !effective_host(f.host))
		return cli_fail(c, CLI_INVALID, M_EVENTS_HOST, f.host);
	if (form != NULL)
		c->json = strcmp(form, "json") == 0;
	if (!effective_ask(c, 0, &answer, &standing, &status))
		return status;
	if (wanted && json_is_array(json_object_get(answer.json, "conduits")) &&
	    !effective_filter(answer.json, &f, &missing))
		status = cli_fail(c, CLI_INVALID, M_FILTER_UNKNOWN, missing);
	else if (!box_answer_done(c, &answer, &status)) {
		if (a->values[OPT_EFFECTIVE_PICTURE] != NULL && json_object_get(answer.json, "conduits") != NULL) {
			print_picture(c, answer.json, &status);
		} else {
			if (standing)
				alone_headline(c, answer.json);
			if (json_object_get(answer.json, "conduits") != NULL && !effective_render(c, answer.json))
				status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
		}
	}
	box_answer_free(&answer);
	return status;
}
