/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/ask/asking.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/words/moment.h"

const struct cli_option asking_options[OPTS] = {
	[OPT_POLICY] = { "--policy", 'p', "POLICY", M_ASK_OPT_POLICY },
	[OPT_AT] = { "--at", 0, "TIME", M_ASK_OPT_AT },
};

bool asking_open(struct cli *c, const struct cli_args *a, struct source *ret, uint64_t *ret_at, int *ret_status)
{
	const char *policy = a->values[OPT_POLICY], *at = a->values[OPT_AT];

	*ret = (struct source){ .arena = NULL };
	*ret_at = clock_wall_ns() / 1000000000ull;
	if (at != NULL && !moment_seconds(at, ret_at)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--at", at);
		return false;
	}
	return source_open_asked(c, policy, ret, ret_status);
}

const struct asked_end *asking_ends(struct cli *c, const struct source *s, const char *text, size_t *ret_n,
				    int *ret_status)
{
	struct asked_end *ends;

	*ret_n = asked_ends(s->c.model, text, s->arena, &ends);
	if (arena_failed(s->arena))
		*ret_status = cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	else if (*ret_n == 0)
		*ret_status = cli_fail(c, CLI_INVALID, M_ASK_NOBODY, text);
	else
		return ends;
	return NULL;
}

void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		char one[2 * ADDR_TEXT];

		addr_range_text(&r[i], one, sizeof(one));
		if (at + strlen(one) + 32 > RANGES_TEXT) {
			snprintf(out + at, RANGES_TEXT - at, ", +%zu", n - i);
			return;
		}
		at += (size_t)snprintf(out + at, RANGES_TEXT - at, "%s%s", i > 0 ? ", " : "", one);
	}
}

void until_text(uint64_t until, char out[40])
{
	time_t t = (time_t)until;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(out, 40, "%Y-%m-%d %H:%M %Z", &tm);
}

json_t *hop_json(const struct source *s, const struct model_conduit *d)
{
	return json_pack("{s:o,s:o,s:i}", "conduit", json_text(d->name), "file", json_text(source_file(s, d->at)),
			 "line", (int)d->at.line);
}

json_t *line_json(const struct source *s, const struct asked_line *l)
{
	const struct model_conduit *d = l->conduit;
	json_t *ret = hop_json(s, d);

	json_object_update_new(ret, json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "service",
					      l->service != NULL ? json_text(l->service->name) : json_null(), "row",
					      l->allow != NULL ? json_integer(l->allow->at.line) : json_null(), "until",
					      d->until != 0 ? json_time(d->until * 1000000000ull) : json_null(),
					      "owner", json_text(d->owner), "approved_by", json_text(d->approved_by),
					      "observed", (int)l->observed));
	return ret;
}
