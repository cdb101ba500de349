/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/live: what changes, as long as the page stays; flow=1: the counters of the rules as well. What the box is asked is mgmt/web/live.c's matter. */
#include "mgmt/web/api/routes.h"

static bool ask(const struct target *t, struct msg_body *question)
{
	uint64_t flow = 1;

	(void)question;
	return t->n_parameters == 0 || (t->n_parameters == 1 && target_number(t, "flow", &flow) && flow == 1);
}

const struct route route_live = { "/api/v1/live", MSG_STATUS, ask, NULL, RIGHT_READ_STATE };
