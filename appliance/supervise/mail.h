/* SPDX-License-Identifier: Apache-2.0 */
/* How the alarms fare that go out by mail and by SNMP, by what sekisho-notify.service and sekisho-inform.service have put down: other users' word, of which nothing follows. */
#ifndef SEKISHO_SUPERVISE_MAIL_H
#define SEKISHO_SUPERVISE_MAIL_H

#include "appliance/base/json.h"

struct supervisor;

/* Of `status`: {"server", "state", "since", "waiting", "dropped", "why"}; null: box.cfg names no mail server. */
json_t *json_mail(const struct supervisor *s);
/* In the same form; null: box.cfg names no receiver of informs. */
json_t *json_snmp(const struct supervisor *s);

#endif
