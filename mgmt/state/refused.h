/* SPDX-License-Identifier: Apache-2.0 */
/* What was refused, and what passed although nobody judged it, by reason, as the status counts
 * it. Pure. */
#ifndef SEKISHO_MGMT_STATE_REFUSED_H
#define SEKISHO_MGMT_STATE_REFUSED_H

#include "mgmt/state/read.h"

/*
 * [{"who":"kernel|workers","reason":"no_conduit","packets":12}], in the order of the reasons,
 * without those that count nothing. The kernel counts since its rules were loaded, workers since
 * they started. `unjudged`: what passed because its conduit says so. The array is the caller's.
 */
json_t *refused_list(const json_t *status, bool unjudged);

#endif
