/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in time: the draft, the generations that are kept, and the texts of one. */
#include "mgmt/web/api/routes.h"

/* texts=0: where it stands alone, for whoever asks again and again. */
static bool ask_draft(const struct target *t, struct msg_body *question)
{
	uint64_t texts = 1;

	if (t->n_parameters > 1 || (t->n_parameters == 1 && (!target_number(t, "texts", &texts) || texts > 1)))
		return false;
	question->draft.texts = (uint8_t)texts;
	return true;
}

static bool ask_plain(const struct target *t, struct msg_body *question)
{
	(void)question;
	return t->n_parameters == 0;
}

/* Without a number: the one in force. */
static bool ask_policy(const struct target *t, struct msg_body *question)
{
	return t->n_parameters == 0 ||
	       (t->n_parameters == 1 && target_number(t, "generation", &question->show.number) &&
		question->show.number <= INT64_MAX);
}

const struct route route_draft = { "/api/v1/draft", MSG_DRAFT, ask_draft, NULL, RIGHT_READ_RULES };
const struct route route_history = { "/api/v1/history", MSG_HISTORY, ask_plain, NULL, RIGHT_READ_RULES };
const struct route route_policy = { "/api/v1/policy", MSG_SHOW, ask_policy, NULL, RIGHT_READ_RULES };
