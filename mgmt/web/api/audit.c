/* SPDX-License-Identifier: Apache-2.0 */
/* What an auditor asks beside the rules themselves: whether the kernel has them, and who has an account or a token. */
#include "mgmt/web/api/routes.h"

static bool ask_plain(const struct target *t, struct msg_body *question)
{
	(void)question;
	return t->n_parameters == 0;
}

static bool ask_tokens(const struct target *t, struct msg_body *question)
{
	question->reg.tokens = 1;
	return t->n_parameters == 0;
}

const struct route route_verify = { "/api/v1/verify", MSG_VERIFY, ask_plain, NULL, RIGHT_READ_RULES };
const struct route route_accounts = { "/api/v1/accounts", MSG_REGISTER, ask_plain, NULL, RIGHT_READ_ACCOUNTS };
const struct route route_tokens = { "/api/v1/tokens", MSG_REGISTER, ask_tokens, NULL, RIGHT_READ_ACCOUNTS };
