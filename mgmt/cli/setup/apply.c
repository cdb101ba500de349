/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/setup/apply.h"

#include <stdio.h>
#include <string.h>

#include "mgmt/cli/box/request.h"
#include "mgmt/cli/setup/steps.h"
#include "mgmt/cli/verbs.h"

#define TRIAL_S "180"
#define WAIT_S 5

/* The place of an option in apply's own table. */
static size_t option(const char *name)
{
	size_t i = 0;

	while (strcmp(verb_apply.options[i].name, name) != 0)
		i++;
	return i;
}

static void take(struct cli_args *a, const struct card *card)
{
	a->every[a->n_every].option = option("--take-interface");
	a->every[a->n_every++].value = card->name;
}

static bool answers(struct setup *s, enum message question, const char *english, const char *japanese)
{
	char line[SETUP_LINE];

	if (setup_ask(s, message_format(question, s->c->lang), NULL, line) != SAID_TEXT)
		return false;
	step_plain(line);
	return strcmp(line, english) == 0 || strcmp(line, japanese) == 0;
}

/* A box that nobody can sign in to is half set up. */
static void tell_of_accounts(struct setup *s)
{
	const json_t *accounts;
	struct box_answer a;
	int status;

	if (!box_request(s->c, &(struct msg_body){ .type = MSG_STATUS }, NULL, 0, WAIT_S, &a, &status))
		return;
	accounts = json_object_get(json_object_get(a.json, "accounts"), "accounts");
	if (json_is_integer(accounts) && json_integer_value(accounts) == 0)
		message_print(s->c->out, s->c->lang, M_SETUP_NO_ACCOUNT);
	box_answer_free(&a);
}

int setup_apply(struct setup *s)
{
	char path[512];
	struct cli_args a = { .operands = { path }, .n_operands = 1 };
	int status;

	if (box_absent(s->c)) {
		message_print(s->c->out, s->c->lang, M_SETUP_NO_BOX, s->folder);
		return CLI_CANNOT;
	}
	if (snprintf(path, sizeof(path), "%s/site.cfg", s->folder) >= (int)sizeof(path))
		return cli_fail(s->c, CLI_INVALID, M_BOX_PATH_LONG, s->folder);
	a.values[option("--dry-run")] = "";
	status = verb_apply.run(s->c, &a);
	if (status != CLI_YES) {
		/* Somebody's session rides on a card, or it cannot be done at all: it was said which. */
		if (!answers(s, M_SETUP_TAKE, "take", "使う"))
			return status;
		take(&a, s->admin.card);
		for (size_t i = 0; i < s->n_data; i++)
			take(&a, s->data[i].card);
	}
	a.values[option("--dry-run")] = NULL;
	a.values[option("--confirm")] = TRIAL_S;
	status = verb_apply.run(s->c, &a);
	if (status != CLI_YES)
		return status;
	if (answers(s, M_SETUP_KEEP, "keep", "残す")) {
		status = verb_confirm.run(s->c, &(struct cli_args){ 0 });
		if (status == CLI_YES)
			tell_of_accounts(s);
		return status;
	}
	/* Who cannot answer any more is helped by the end of the trial. */
	message_print(s->c->out, s->c->lang, M_SETUP_GOES_BACK);
	verb_rollback.run(s->c, &(struct cli_args){ 0 });
	return CLI_NO;
}
