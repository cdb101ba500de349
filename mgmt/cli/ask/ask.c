/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/ask/ask.h"
#include "mgmt/cli/screen/wrap.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/moment.h"
#include "mgmt/state/read.h"

bool asking_open(struct cli *c, const struct cli_args *a, struct source *ret, uint64_t *ret_at, int *ret_status)
{
	const char *policy = a->values[OPT_ASK_POLICY], *at = a->values[OPT_ASK_AT];

	*ret = (struct source){ .arena = NULL };
	*ret_at = 0;
	if (at != NULL && !moment_seconds(at, ret_at)) {
		*ret_status = cli_fail(c, CLI_INVALID, M_HOLD_MOMENT, "--at", at);
		return false;
	}
	if (!source_open_asked(c, policy, *ret_at, ret, ret_status))
		return false;
	if (at == NULL)
		*ret_at = clock_wall_s();
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

static void asking_below(struct cli *c, const char *text)
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

/* ---- ask ------------------------------------------------------------------------------------- */

/* `sekisho ask FROM TO [SERVICE [COMMAND [KEY=ADDRESS [VALUE]]]]`: is this allowed, and by which
 * line? */

void asking_print(struct cli *c, const struct asking_words *w, const json_t *answer)
{
	source_say(c, jb(answer, "allowed") ? M_ASK_YES : M_ASK_NO, w->from, w->to);
	json_each(sentence, ja(answer, "said"))
		asking_below(c, js(sentence, lang_name(c->lang)));
}

static int answered(struct cli *c, const struct cli_args *a, const struct source *s, uint64_t at)
{
	const char *const *o = a->operands;
	const struct asking_words w = {
		.from = o[0], .to = o[1], .service = o[2], .command = o[3], .address = o[4], .value = o[5], .at = at
	};
	bool meant;
	json_t *answer = asking_answer(&s->c, &w, &meant);

	int status = jb(answer, "allowed") ? CLI_YES : CLI_NO;

	if (!meant)
		status = cli_fail_text(c, CLI_INVALID, js(json_object_get(answer, "error"), lang_name(c->lang)));
	else if (c->json)
		json_line(c->out, json_incref(answer));
	else
		asking_print(c, &w, answer);
	json_decref(answer);
	return status;
}

int verb_ask(struct cli *c, const struct cli_args *a)
{
	struct source s;
	uint64_t at;
	int status;

	if (asking_open(c, a, &s, &at, &status) &&
	    (a->values[OPT_ASK_POLICY] != NULL || source_doors(c, &s, at, &status)))
		status = answered(c, a, &s, at);
	source_close(&s);
	return status;
}
