/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho ask FROM TO [SERVICE [COMMAND [KEY=ADDRESS [VALUE]]]]`: is this allowed, and by which
 * line? */
#include "mgmt/cli/ask/asking.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/state/read.h"

static void print(struct cli *c, const struct cli_args *a, const json_t *answer)
{
	const json_t *sentence;
	size_t i;

	source_say(c, jb(answer, "allowed") ? M_ASK_YES : M_ASK_NO, a->operands[0], a->operands[1]);
	json_array_foreach(ja(answer, "said"), i, sentence)
	{
		asking_below(c, js(sentence, lang_name(c->lang)));
	}
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
		print(c, a, answer);
	json_decref(answer);
	return status;
}

int verb_ask(struct cli *c, const struct cli_args *a)
{
	struct source s;
	uint64_t at;
	int status;

	if (asking_open(c, a, &s, &at, &status) && (a->values[OPT_POLICY] != NULL || source_doors(c, &s, at, &status)))
		status = answered(c, a, &s, at);
	source_close(&s);
	return status;
}
