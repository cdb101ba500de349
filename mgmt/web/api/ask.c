/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/ask: the answer of `sekisho ask`, by the policy in force. Parameters: `from` and `to`
 * (zones, assets, labels, groups or addresses); `service`, `command`, `address` (KEY=ADDRESS) and
 * `value` as in `sekisho ask`; `at` (seconds since 1970; without it: now). A past moment is
 * answered by the policy that was in force then.
 */
#include <string.h>

#include "mgmt/web/api/routes.h"

#define AT_MOST (UINT64_MAX / 1000000000u)

static bool take(const struct target_parameter *p, struct msg_ask *m)
{
	const struct {
		const char *key;
		uint8_t *to;
	} words[] = { { "from", m->from },	 { "to", m->whom },	    { "service", m->service },
		      { "command", m->command }, { "address", m->address }, { "value", m->value } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(p->key, words[i].key) == 0) {
			memcpy(words[i].to, p->text, strlen(p->text));
			return true;
		}
	m->at = p->value;
	return strcmp(p->key, "at") == 0 && p->number && p->value > 0 && p->value <= AT_MOST;
}

static bool ask(const struct target *t, struct msg_body *question)
{
	struct msg_ask *m = &question->ask;

	for (size_t i = 0; i < t->n_parameters; i++)
		if (!take(&t->parameters[i], m))
			return false;
	return m->from[0] != 0 && m->whom[0] != 0;
}

const struct route route_ask = { GET_ASK, MSG_ASK, ask, NULL, RIGHT_READ_RULES };
