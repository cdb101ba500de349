/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong now, since when, how grave, in both languages: what programs tell people who do not
 * look, and what the pages show. Pure. */
#ifndef SEKISHO_MGMT_STATE_ALARMS_H
#define SEKISHO_MGMT_STATE_ALARMS_H

#include "mgmt/state/read.h"

/*
 * [{"key":"role dpi/1","grave":true,"since":"<time>|","en":"...","ja":"..."}] by the status
 * (docs/json.md), the caller's. A key is the same for as long as the same thing is wrong, whatever
 * numbers its texts have. `since` is "" where the box does not date it.
 */
json_t *alarms_find(const json_t *status);
/* The one for a daemon that does not answer, in the same form. */
json_t *alarm_of_no_daemon(void);

/* Certificates of a status (docs/json.md) in words. */

#define CERTIFICATE_TEXT 200

/* What it is for: "the log server". */
const char *certificate_use(const json_t *certificate, enum lang l);
/* "good", "ends soon", "cannot be read: ...". Returns `out`. */
const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT]);
/* Why it cannot be read. */
const char *certificate_why(const json_t *certificate, enum lang l);

#endif
