/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/routes.h"

/* Alarms of attacks with who has seen which; who says that he has does so by /api/v1/records. */
static bool ask(const struct target *t, struct msg_body *question)
{
	question->attacks = (struct msg_attacks){ .order = ATTACKS_LIST, .reason = "" };
	return t->n_parameters == 0;
}

const struct route route_attacks = { "/api/v1/attacks", MSG_ATTACKS, ask, NULL, RIGHT_READ_EVENTS };
