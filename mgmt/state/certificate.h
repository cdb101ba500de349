/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a status (docs/json.md) in words. */
#ifndef SEKISHO_MGMT_STATE_CERTIFICATE_H
#define SEKISHO_MGMT_STATE_CERTIFICATE_H

#include "mgmt/state/read.h"

#define CERTIFICATE_TEXT 200

/* What it is for: "the log server". */
const char *certificate_use(const json_t *certificate, enum lang l);
/* "good", "ends soon", "cannot be read: ...". Returns `out`. */
const char *certificate_state(const json_t *certificate, enum lang l, char out[CERTIFICATE_TEXT]);
/* Why it cannot be read. */
const char *certificate_why(const json_t *certificate, enum lang l);

#endif
