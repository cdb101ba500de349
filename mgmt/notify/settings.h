/* SPDX-License-Identifier: Apache-2.0 */
/* To whom alarms are sent: the file that the daemon writes from
 * box.cfg (appliance/box/companions.h). */
#ifndef SEKISHO_MGMT_NOTIFY_SETTINGS_H
#define SEKISHO_MGMT_NOTIFY_SETTINGS_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

struct notify_settings {
	char *text; /* which the others point into */
	struct addr address;
	uint16_t port;
	const char *name, *ca, *from, *user; /* user: "" = without a login */
	char *to;			     /* with a blank between two */
	enum lang lang;
	unsigned every_s; /* at most one mail in so many seconds */
};

/* 0 or negative errno; free it in either case. */
int notify_settings_read(const char *path, struct notify_settings *ret, struct err *e);
void notify_settings_free(struct notify_settings *s);

#endif
