/* SPDX-License-Identifier: Apache-2.0 */
/* How the alarms that go out by mail fare, by what sekisho-notify.service has put down: another user's word, of which nothing follows. */
#ifndef SEKISHO_SUPERVISE_MAIL_H
#define SEKISHO_SUPERVISE_MAIL_H

#include "appliance/base/json.h"

struct supervisor;

/* Of `status`: {"server", "state", "since", "waiting", "dropped", "why"}; null: box.cfg names no mail server. */
json_t *json_mail(const struct supervisor *s);

#endif
