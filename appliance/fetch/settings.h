/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom sekisho-fetch asks: the file that the daemon writes from the policy in force (beside_update, appliance/box/companions.h). Read as root; who could write
 * it could do more than this program lets anybody do, and yet it is held to its form.
 */
#ifndef SEKISHO_FETCH_SETTINGS_H
#define SEKISHO_FETCH_SETTINGS_H

#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/err.h"

struct fetch_settings {
	char *text;	   /* what the others point into; owned, see fetch_settings_free */
	const char *netns; /* name of the admin namespace */
	struct addr address;
	uint16_t port;
	const char *name; /* in the server's certificate */
	const char *ca;	  /* file of the authority's certificate */
};

/* 0, -ENOENT when the policy in force names no update server, or another negative errno with *e. Freed by fetch_settings_free either way. */
int fetch_settings_read(const char *path, struct fetch_settings *ret, struct err *e);
void fetch_settings_free(struct fetch_settings *s);

#endif
