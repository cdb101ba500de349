/* SPDX-License-Identifier: Apache-2.0 */
/* To whom alarms are told by SNMP: the file that the daemon writes from box.cfg (appliance/box/companions.h). */
#ifndef SEKISHO_MGMT_INFORM_SETTINGS_H
#define SEKISHO_MGMT_INFORM_SETTINGS_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"
#include "appliance/base/messages.h"

struct inform_settings {
	char *text; /* which `user` points into */
	struct addr address;
	uint16_t port;
	const char *user;
	enum lang lang;
};

/* 0 or negative errno; free it in either case. */
int inform_settings_read(const char *path, struct inform_settings *ret, struct err *e);
void inform_settings_free(struct inform_settings *s);

#endif
