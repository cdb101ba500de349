/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms (mgmt/state/alarms.h) put together for a page that is read at night. Pure. */
#ifndef SEKISHO_MGMT_STATE_ALARM_LINES_H
#define SEKISHO_MGMT_STATE_ALARM_LINES_H

#include "appliance/base/messages.h"
#include "mgmt/state/read.h"

/*
 * The alarms by what they are about, for a page that is read at night: one line for each title, the
 * grave ones first. Owned by the caller:
 *
 *   [{"title":{"en","ja"},"grave":true,"since":"<time>","step":{"en","ja"}|null,"machines":["RTG
 *   7"],
 *     "sources":["10.10.0.9 (office)"],"keys":["attack 3/1"]}]
 */
json_t *alarm_lines(const json_t *alarms);
/* "3 alarms: refused writes and more": a count and the first title; "" without alarms. The caller
 * frees it; NULL = no memory. */
char *alarm_headline(const json_t *lines, enum lang l);

#endif
