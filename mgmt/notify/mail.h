/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail to the server of box.cfg, by libcurl: TLS always, from STARTTLS on, at port 465 from the
 * first byte on, with a certificate for the server's name, signed by the configured authority. DNS
 * is not used: the address is in the settings.
 */
#ifndef SEKISHO_MGMT_NOTIFY_MAIL_H
#define SEKISHO_MGMT_NOTIFY_MAIL_H

#include <stdint.h>

#include "mgmt/notify/settings.h"

struct mail {
	const char *subject, *text; /* UTF-8 */
	/* of this box's mails: the same one sent again can be told by it */
	uint64_t number;
	uint64_t now_s;
};

/* Once, before the first one. */
bool mail_begin(void);
/* `password`: "" = no login. False: *e says why, without anything that is secret. */
bool mail_send(const struct notify_settings *s, const char *password, const struct mail *m, struct err *e);

#endif
