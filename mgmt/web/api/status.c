/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/routes.h"

static bool ask(const struct target *t, struct msg_body *question)
{
	(void)question;
	return t->n_parameters == 0;
}

const struct route route_status = { "/api/v1/status", MSG_STATUS, ask, NULL, RIGHT_READ_STATE };
