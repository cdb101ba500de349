/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/ask/asking.h"

#include <stdarg.h>
#include <stdlib.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"

const struct cli_option options_ask[OPT_N + 1] = {
	[OPT_POLICY] = { "--policy", 'p', "POLICY", M_ASK_OPT_POLICY },
	[OPT_AT] = { "--at", 0, "TIME", M_ASK_OPT_AT },
};

bool asking_open(struct cli *c, const struct cli_args *a, struct source *ret, uint64_t *ret_at, int *ret_status)
{
	const char *policy = a->values[OPT_POLICY], *at = a->values[OPT_AT];

	*ret = (struct source){ .arena = NULL };
	*ret_at = 0;
	if (at != NULL && !moment_seconds(at, ret_at)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--at", at);
		return false;
	}
	if (!source_open_asked(c, policy, *ret_at, ret, ret_status))
		return false;
	if (at == NULL)
		*ret_at = clock_wall_ns() / 1000000000ull;
	return true;
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

void asking_below(struct cli *c, const char *text)
{
	char *safe = text_safe(text);

	/* Indented like the lines of source_say. */
	fputs("        ", c->out);
	text_wrap(c->out, safe != NULL ? safe : "", 8, 8);
	fputc('\n', c->out);
	free(safe);
}

void asking_say_below(struct cli *c, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	(void)message_vtext(text, sizeof(text), c->lang, m, ap);
	va_end(ap);
	asking_below(c, text);
}
