/* SPDX-License-Identifier: Apache-2.0 */
/* Where alarms are sent: the file that the daemon writes from box.cfg (appliance/box/companions.h)
 * for mail, and the one for SNMP. */
#ifndef SEKISHO_MGMT_NOTIFY_SETTINGS_H
#define SEKISHO_MGMT_NOTIFY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

enum outlet_kind { OUTLET_MAIL, OUTLET_SNMP };

struct outlet_settings {
	enum outlet_kind kind;
	char *text; /* the file's text; the other members point into it */
	struct addr address;
	uint16_t port;
	const char *user; /* of mail: "" = without a login */
	/* of mail; to: recipients, separated by blanks */
	const char *name, *ca, *from, *to;
	enum lang lang;
	unsigned every_s; /* seconds between two sendings, at least */
};

/* 0 or negative errno; outlet_settings_free has to be called in both cases. */
int outlet_settings_read(const char *path, enum outlet_kind kind, struct outlet_settings *ret, struct err *e);
void outlet_settings_free(struct outlet_settings *s);

#endif
