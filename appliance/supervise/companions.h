/* SPDX-License-Identifier: Apache-2.0 */
/* How the alarms fare that go out by mail and by SNMP, by what sekisho-notify.service and sekisho-inform.service have put down: other users' word, of which nothing follows. */
#ifndef SEKISHO_SUPERVISE_COMPANIONS_H
#define SEKISHO_SUPERVISE_COMPANIONS_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/box/companions.h"

struct supervisor;

/* Of `status`: {"server", "state", "since", "waiting", "dropped", "why"}; null: box.cfg names no mail server. */
json_t *json_mail(const struct supervisor *s);
/* In the same form; null: box.cfg names no receiver of informs. */
json_t *json_snmp(const struct supervisor *s);

/*
 * The UPS of box.cfg: looks every two seconds at what sekisho-ups.service has put down, records what becomes of the power, and when the
 * battery ends writes the word by which the machine goes off (sekisho-power-off.path), where the policy in force says so. The program that
 * speaks to the network is another user, and writes that one file; it turns nothing off by itself.
 */

struct supervisor;

#define UPS_NAME_MOST 192u

struct ups_state {
	struct ups_watch watch;
	char of[UPS_NAME_MOST]; /* whom it is about, "" = nobody */
	uint64_t look_at;	/* monotonic ns */
	bool turns_off;		/* box.cfg said so at the last look */
};

void ups_due(struct supervisor *s, uint64_t now);
uint64_t ups_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* Of `status`: {"server", "name", "state", "since", "away_since", "charge", "runtime", "counted", "on_low"}; null: box.cfg names none. */
json_t *json_ups(const struct supervisor *s);

#endif
