/* SPDX-License-Identifier: Apache-2.0 */
/* Events after a sequence number, at most so many: /api/v1/events?after=SEQ&limit=N, both optional. */
#include <string.h>

#include "mgmt/web/api/routes.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000

static bool ask(const struct target *t, struct outbuf *body)
{
	uint64_t after = 0, limit = LIMIT_DEFAULT;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (strcmp(t->parameters[i].key, "after") != 0 && strcmp(t->parameters[i].key, "limit") != 0)
			return false;
	target_number(t, "after", &after);
	target_number(t, "limit", &limit);
	if (limit == 0 || limit > LIMIT_MAX)
		return false;
	out_be64(body, after);
	out_be32(body, (uint32_t)limit);
	return true;
}

const struct route route_events = { "/api/v1/events", MSG_CTL_EVENTS, ask };
