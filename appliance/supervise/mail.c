/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/supervise/mail.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "appliance/box/beside.h"
#include "appliance/box/said.h"
#include "appliance/supervise/supervise.h"

/* Beside the run folder: the RuntimeDirectory= of the unit. */
#define NOTIFY "%s-notify/state"
#define INFORM "%s-inform/state"
#define STATE_MOST 512u
#define FRESH_S 60u /* it is written every two seconds, and one attempt to send takes up to half a minute */

struct told_said {
	char state[SAID_LINE], why[SAID_LINE];
	int64_t since, waiting, dropped;
};

/* False: nothing that can be used, of another server, or old. */
static bool said(const char *path, const char *of, struct told_said *ret)
{
	uint8_t file[STATE_MOST];
	char whom[SAID_LINE];
	struct bytes b;
	int64_t at, now = (int64_t)said_now_s();

	b = bytes_of(file, said_file(path, file, sizeof(file)));
	at = said_number(&b, "at");
	said_line(&b, "of", whom);
	said_line(&b, "state", ret->state);
	ret->since = said_number(&b, "since");
	ret->waiting = said_number(&b, "waiting");
	ret->dropped = said_number(&b, "dropped");
	said_line(&b, "why", ret->why);
	return !b.failed && b.left == 0 && at >= 0 && at <= now && now - at <= (int64_t)FRESH_S &&
	       strcmp(whom, of) == 0 && ret->waiting >= 0 && ret->dropped >= 0 &&
	       (strcmp(ret->state, "good") == 0 || strcmp(ret->state, "failing") == 0);
}

static json_t *fares(const char *path, const struct ir_peer *p)
{
	char of[ADDR_TEXT + 8], address[ADDR_TEXT];
	struct told_said t;
	bool wrong;

	if (p == NULL)
		return json_null();
	addr_text(&p->address, address);
	snprintf(of, sizeof(of), "%s %u", address, (unsigned)p->port);
	if (!said(path, of, &t))
		return json_pack("{s:o, s:s}", "server", json_endpoint(&p->address, p->port), "state", "away");
	/* It may go well and have a word to say all the same: what was told cannot be kept. */
	wrong = strcmp(t.state, "failing") == 0 || strcmp(t.why, "-") != 0;
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:o}", "server", json_endpoint(&p->address, p->port), "state",
			 t.state, "since", wrong && t.since >= 0 ? said_time((uint64_t)t.since) : json_null(),
			 "waiting", (json_int_t)t.waiting, "dropped", (json_int_t)t.dropped, "why",
			 wrong ? json_text(t.why) : json_null());
}

json_t *json_mail(const struct supervisor *s)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), NOTIFY, s->o->run);
	return fares(path, beside_mail_server(s->now->ir));
}

json_t *json_snmp(const struct supervisor *s)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), INFORM, s->o->run);
	return fares(path, beside_snmp_receiver(s->now->ir));
}
