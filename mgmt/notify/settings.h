/* SPDX-License-Identifier: Apache-2.0 */
/* The mail server and the recipients of alarms: the file that the daemon writes from box.cfg
 * (appliance/box/companions.h). */
#ifndef SEKISHO_MGMT_NOTIFY_SETTINGS_H
#define SEKISHO_MGMT_NOTIFY_SETTINGS_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

struct notify_settings {
	char *text; /* the file's text; the other members point into it */
	struct addr address;
	uint16_t port;
	const char *name, *ca, *from, *user; /* user: "" = without a login */
	char *to;			     /* recipients, separated by blanks */
	enum lang lang;
	unsigned every_s; /* seconds between two mails, at least */
};

/* 0 or negative errno; notify_settings_free has to be called in both cases. */
int notify_settings_read(const char *path, struct notify_settings *ret, struct err *e);
void notify_settings_free(struct notify_settings *s);

#endif
