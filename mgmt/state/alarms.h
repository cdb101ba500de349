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
/*
 * The alarms by what they are about, for a page that is read at night: one line for each title, the
 * grave ones first. Owned by the caller:
 *
 *   [{"title":{"en","ja"},"grave":true,"since":"<time>","step":{"en","ja"}|null,"machines":["RTG
 *   7"],
 *     "sources":["10.10.0.9 (office)"],"keys":["attack 3/1"]}]
 */
json_t *alarms_lines(const json_t *alarms);
/* "3 alarms: refused writes and more": a count and the first title; "" without alarms. The caller
 * frees it; NULL = no memory. */
char *alarms_headline(const json_t *lines, enum lang l);
/* The alarm for a daemon that does not answer, in the same form. */
json_t *alarm_of_no_daemon(void);

/* Certificates of a status (docs/json.md) in words. */

#define CERTIFICATE_TEXT 200

/* The state of a certificate: "good", "ends soon", "cannot be read: ...". Returns `out`. */
const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT]);

#endif
