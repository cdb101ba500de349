/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one mail to the server of box.cfg, by libcurl. It always uses TLS: STARTTLS, or at port 465
 * TLS from the first byte on. The server needs a certificate for its name that the configured
 * authority has signed. DNS is not used: the settings have the address.
 */
#ifndef SEKISHO_MGMT_NOTIFY_MAIL_H
#define SEKISHO_MGMT_NOTIFY_MAIL_H

#include <stdint.h>

#include "mgmt/notify/settings.h"

struct mail {
	const char *subject, *text; /* UTF-8 */
	/* number of the mail, by which a repetition is recognised */
	uint64_t number;
	uint64_t now_s;
};

/* To be called once, before the first mail. */
bool mail_begin(void);
/* `password`: "" = no login. False: *e has the reason, without any secret. */
bool mail_send(const struct notify_settings *s, const char *password, const struct mail *m, struct err *e);

#endif
