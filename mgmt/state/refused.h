/* SPDX-License-Identifier: Apache-2.0 */
/* Counts from the status, by reason: what was refused, and what passed without being judged.
 * Pure. */
#ifndef SEKISHO_MGMT_STATE_REFUSED_H
#define SEKISHO_MGMT_STATE_REFUSED_H

#include "mgmt/state/read.h"

/*
 * [{"who":"kernel|workers","reason":"no_conduit","packets":12}], in the order of the reasons,
 * without zeros. The kernel counts since its rules were loaded, workers since they started.
 * `unjudged`: packets that passed unjudged because of their conduit's setting, instead of refused
 * ones. The array is owned by the caller.
 */
json_t *refused_list(const json_t *status, bool unjudged);

#endif
