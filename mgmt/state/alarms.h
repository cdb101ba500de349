/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what is wrong now, since when, and how serious it is, in both languages. Programs send
 * these alarms to people, and the pages show them. Pure. */
#ifndef SEKISHO_MGMT_STATE_ALARMS_H
#define SEKISHO_MGMT_STATE_ALARMS_H

#include "mgmt/state/read.h"

/*
 * The alarms in a status (docs/json.md), owned by the caller:
 *
 *   [{"key":"role dpi/1","grave":true,"since":"<time>","en":"...","ja":"..."}]
 *
 * The key stays the same as long as the same thing is wrong, even if numbers in the texts change.
 * `since` is "" if the box does not tell it.
 */
json_t *alarms_find(const json_t *status);
/* The alarm for a daemon that does not answer, in the same form. */
json_t *alarm_of_no_daemon(void);

/* Certificates of a status (docs/json.md) in words. */

#define CERTIFICATE_TEXT 200

/* The state of a certificate: "good", "ends soon", "cannot be read: ...". Returns `out`. */
const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT]);

#endif
