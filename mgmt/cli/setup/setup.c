/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `sekisho setup`: the questions one after the other, and the way back. Each step asks once and says what became of it; the loop
 * decides where it goes on. What the answers come to is checked by the compiler before it is written.
 */
#include "mgmt/cli/setup/setup.h"

#include <stdlib.h>
#include <unistd.h>

#include "mgmt/cli/setup/steps.h"
#include "mgmt/cli/verbs.h"

#define FOLDER "/etc/sekisho"

static step *const before[] = { step_language,	 step_site,	  step_label,	      step_mode,
				step_admin_card, step_admin_vlan, step_admin_address, step_terminals };
static step *const each[] = { step_data_card, step_data_vlan, step_data_address, step_zone, step_class_of };

#define BEFORE (sizeof(before) / sizeof(before[0]))
#define EACH (sizeof(each) / sizeof(each[0]))
#define PLACES (BEFORE + SETUP_DATA * EACH)

/* Places are numbered: those before, then those of each interface; the last one shows it all. */
static int walk(struct setup *s)
{
	size_t at = 0, last = 0; /* last: where "show" was come from */
	bool showing = false;

	for (;;) {
		size_t k = at < BEFORE ? 0 : (at - BEFORE) / EACH;
		enum step_result r = showing	   ? step_show(s, k)
				     : at < BEFORE ? before[at](s, 0)
						   : each[(at - BEFORE) % EACH](s, k);

		switch (r) {
		case STEP_GO:
			if (showing)
				return s->status;
			at++;
			if (at == PLACES) {
				last = at - 1;
				showing = true;
			}
			break;
		case STEP_ENOUGH:
			last = at;
			showing = true;
			break;
		case STEP_BACK:
			if (showing)
				at = last;
			else if (at > 0)
				at--;
			showing = false;
			break;
		case STEP_STAY:
			break;
		case STEP_QUIT:
			step_tell(s, M_SETUP_QUIT);
			return CLI_NO;
		}
	}
}

static int run(struct cli *c, const struct cli_args *a)
{
	struct setup *s;
	int status;

	if (c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(c, CLI_INVALID, M_SETUP_NO_TERMINAL);
	if (geteuid() != 0)
		return cli_fail(c, CLI_CANNOT, M_SETUP_NO_ROOT);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return cli_fail(c, CLI_CANNOT, M_CLI_NO_MEMORY);
	s->c = c;
	s->folder = a->n_operands > 0 ? a->operands[0] : FOLDER;
	cards_read(&s->cards);
	message_print(c->out, c->lang, M_SETUP_BEGIN);
	status = walk(s);
	free(s);
	return status;
}

const struct cli_verb verb_setup = {
	.name = "setup",
	.group = CLI_ON_BOX,
	.operands = "[FOLDER]",
	.max_operands = 1,
	.summary = M_SETUP_SUMMARY,
	.text = M_SETUP_TEXT,
	.run = run,
};
