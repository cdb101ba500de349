/* SPDX-License-Identifier: Apache-2.0 */
/* The result of checking a folder of records, as JSON (docs/json.md, `journal verify`). */
#ifndef SEKISHO_JOURNAL_VERIFY_JSON_H
#define SEKISHO_JOURNAL_VERIFY_JSON_H

#include "appliance/base/json.h"
#include "appliance/journal/verify.h"

/* `keys`: the records were checked against these keys as well. Owned by the caller. */
json_t *journal_report_json(const struct journal_report *r, bool keys);

#endif
